import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareTaskIds, CorruptDataError, type TaskId } from '@millrace/core';
import { encodeAssignmentData, NO_ASSIGNMENT } from './assignment-data.ts';
import { UserDataWriter } from './binary.ts';
import { packHosts, unpackHosts } from './packed-hosts.ts';
import type { TaskHost } from './task-hosts.ts';

const SUBTOPOLOGIES = 4;
/** What the broker takes for one record, in which a group is kept: `max.message.bytes`. */
const RECORD_BYTES_MAX = 1024 * 1024;

const ids = fc
  .uniqueArray(fc.record({ subtopology: fc.nat(9), partition: fc.nat(99) }), {
    selector: ({ subtopology, partition }) => 100 * subtopology + partition,
    maxLength: 20,
  })
  .map((tasks) => tasks.sort(compareTaskIds));
const hosts: fc.Arbitrary<TaskHost[]> = fc.array(
  fc.record({
    endpoint: fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`),
    activeTasks: ids,
    standbyTasks: ids,
  }),
  { maxLength: 8 },
);

/** A group in which the tasks, and copies of each, are spread without any order. */
function group(members: number, tasks: number, copies: number): TaskHost[] {
  const all = Array.from({ length: tasks }, (_, task) => ({
    subtopology: task % SUBTOPOLOGIES,
    partition: Math.floor(task / SUBTOPOLOGIES),
  }));
  const placed = Array.from(
    { length: copies + 1 },
    (_, seed) =>
      fc.sample(fc.array(fc.nat(members - 1), { minLength: tasks, maxLength: tasks, size: 'max' }), { numRuns: 1, seed })[0],
  );
  const tasksOf = (member: number, copy: number): TaskId[] => all.filter((_, task) => placed[copy]?.[task] === member);
  return Array.from({ length: members }, (_, member) => ({
    endpoint: `worker-${member}.orders.svc.cluster.local:8080`,
    activeTasks: tasksOf(member, 0).sort(compareTaskIds),
    standbyTasks: Array.from({ length: copies }, (_copy, copy) => tasksOf(member, copy + 1))
      .flat()
      .sort(compareTaskIds),
  }));
}

/** Packs what no leader says. */
const hostile = (write: (writer: UserDataWriter) => void): Buffer => {
  const writer = new UserDataWriter();
  write(writer);
  return deflateRawSync(writer.toBuffer());
};
const row = (writer: UserDataWriter, subtopology: number, ...numbers: number[]) =>
  writer.list([numbers], (one) =>
    writer.list([subtopology], (id) => writer.int32(id).list(one, (number) => writer.int32(number))),
  );

describe('hosts', () => {
  it('come back as they were packed', () => {
    fc.assert(
      fc.property(hosts, (given) => {
        expect(unpackHosts(packHosts(given, 1) as Buffer)).toEqual(given);
      }),
    );
  });

  it('are left out when they name no place', () => {
    const [place, other] = group(2, 4, 0) as [TaskHost, TaskHost];
    for (const endpoint of ['', 'nowhere', 'http://evil/', 'a:1/path', 'a:99999', ' a:1']) {
      expect(unpackHosts(packHosts([{ ...place, endpoint }, other], 1) as Buffer)).toEqual([other]);
    }
  });

  it('are no bytes when there are none', () => {
    expect(packHosts([], 100)).toHaveLength(0);
  });

  it.each([0, 1])('of 100 members with 1 000 tasks and %i copies of each leave most of the record to the group', (copies) => {
    const given = group(100, 1000, copies);
    const packedHosts = packHosts(given, 100) as Buffer;
    expect(unpackHosts(packedHosts)).toEqual(given);
    const told = given.map(({ activeTasks, standbyTasks }) =>
      encodeAssignmentData({ ...NO_ASSIGNMENT, activeTasks, standbyTasks, packedHosts }),
    );
    expect(told.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(RECORD_BYTES_MAX / 2.5);
  });

  it('are told without copies when those take too much, and not at all when there is no room', () => {
    const given = group(150, 1500, 1);
    expect(unpackHosts(packHosts(given, 150) as Buffer)).toEqual(given.map((host) => ({ ...host, standbyTasks: [] })));
    expect(packHosts(given, 1800)).toBeUndefined();
  });

  it('are refused when they are not what a leader packs', () => {
    const one = (writer: UserDataWriter) => writer.list(['h:1'], (endpoint) => writer.string(endpoint));
    const wrong = [
      Buffer.from('not packed'),
      hostile((writer) => writer.int32(1_000_000_000)),
      hostile((writer) => row(one(writer), 0, 2).int32(0)),
      hostile((writer) => row(one(writer), 0, -1).int32(0)),
      hostile((writer) => row(one(writer), -1, 1).int32(0)),
      hostile((writer) => row(one(writer), 0, 1)),
      deflateRawSync(Buffer.alloc(64 * 1024 * 1024)),
    ];
    for (const bytes of wrong) expect(() => unpackHosts(bytes)).toThrow(CorruptDataError);
    expect(unpackHosts(hostile((writer) => row(one(writer), 0, 0, 1).int32(0)))).toMatchObject([
      { activeTasks: [{ subtopology: 0, partition: 1 }] },
    ]);
  });

  it('that are any nonsense are refused without reserving memory for it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (junk, isPacked) => {
        try {
          unpackHosts(isPacked ? deflateRawSync(junk) : Buffer.from(junk));
        } catch (error) {
          expect((error as { code?: string }).code).toBe('INVALID_USER_DATA');
        }
      }),
    );
  });
});
