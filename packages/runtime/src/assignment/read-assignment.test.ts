import { describe, expect, it } from 'vitest';
import { silentLogger, string, topic, type LogFields } from '@millrace/core';
import type { MemberAssignment } from '@millrace/client';
import { Topology } from '@millrace/topology';
import { AT_ONCE, encodeAssignmentData, NO_ASSIGNMENT, type AssignmentData } from './assignment-data.ts';
import { packHosts } from './packed-hosts.ts';
import { AssignmentReader, type AssignmentReaderOptions } from './read-assignment.ts';
import { contractOf, packContract, type TopologyContract } from './topology-contract.ts';

const text = { key: string(), value: string() };

function topology(...inputs: readonly string[]): Topology {
  const built = new Topology();
  for (const input of inputs)
    built.addSource(`${input}-source`, topic(input, text)).addSink(`${input}-sink`, 'out', [`${input}-source`], text);
  return built;
}

const contract = (built: Topology): TopologyContract => contractOf(built.plan(), String(built.describe()));

const OWN = contract(topology('a', 'b'));
const MADE_FOR = { processId: 'p', fingerprint: OWN.fingerprint };

function stage(options: Partial<AssignmentReaderOptions> = {}) {
  const warnings: (LogFields | undefined)[] = [];
  const reader = new AssignmentReader({
    plan: topology('a', 'b').plan(),
    contract: OWN,
    applicationId: 'app',
    processId: 'p',
    onTopologyMismatch: 'wait',
    staticEndpoint: undefined,
    logger: { ...silentLogger, warn: (_message: string, fields?: LogFields) => void warnings.push(fields) },
    ...options,
  });
  return { reader, warnings };
}

function assignment(data: Partial<AssignmentData>): MemberAssignment {
  const partitions = [
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 0 },
    { topic: 'b', partition: 1 },
  ];
  return { partitions, userData: encodeAssignmentData({ ...NO_ASSIGNMENT, madeFor: MADE_FOR, ...data }) };
}

const TASKS = { activeTasks: [{ subtopology: 1, partition: 1 }], standbyTasks: [{ subtopology: 0, partition: 0 }] };

describe('AssignmentReader', () => {
  it('finds the partitions of each task', () => {
    const { tasks, rejoinReason } = stage().reader.read(assignment(TASKS));
    expect(tasks.active).toEqual([{ id: TASKS.activeTasks[0], partitions: [{ topic: 'b', partition: 1 }] }]);
    expect(tasks.standby).toEqual(TASKS.standbyTasks);
    expect(rejoinReason).toBeUndefined();
  });

  it('passes on when the next rebalance is due and how far states are to be warmed up', () => {
    const warmUpGoals = new Map([['0_0', 42]]);
    expect(stage().reader.read(assignment({ warmUpGoals, nextRebalanceMs: 9 }))).toMatchObject({
      warmUpGoals,
      nextRebalanceMs: 9,
    });
  });

  it('ends the worker with what the leader found', () => {
    const error = { code: 'INTERNAL_TOPIC_PARTITIONS', message: 'too many partitions', topic: 'x-changelog' };
    expect(() => stage().reader.read(assignment({ error }))).toThrow(
      expect.objectContaining({ ...error, message: 'too many partitions [topic x-changelog]' }),
    );
    expect(() => stage().reader.read(assignment({ shutdown: true }))).toThrow('asked all of them to stop');
  });

  it('takes over the assignment of a static member in another state directory, and tells the group', () => {
    const { tasks, rejoinReason } = stage({ processId: 'q' }).reader.read(assignment(TASKS));
    expect(tasks.active).toHaveLength(1);
    expect(rejoinReason).toContain('another state directory');
  });

  it('asks for the next rebalance at once when others wait for tasks that this member, or its former self, had', () => {
    const { rejoinReason, nextRebalanceMs } = stage().reader.read(assignment({ nextRebalanceMs: AT_ONCE }));
    expect(rejoinReason).toContain('others wait for tasks');
    expect(nextRebalanceMs).toBe(-1);
  });

  it('takes nothing over that was made for another topology: its tasks are others', () => {
    const { tasks, rejoinReason } = stage({ contract: contract(topology('a')) }).reader.read(assignment(TASKS));
    expect(tasks).toEqual({ active: [], standby: [] });
    expect(rejoinReason).toContain('another topology');
  });

  it('learns which of the members that can be asked has which tasks', () => {
    const hosts = [{ endpoint: 'h:1', activeTasks: [{ subtopology: 1, partition: 1 }], standbyTasks: [] }];
    expect(stage().reader.read(assignment({ packedHosts: packHosts(hosts, 1) as Buffer })).hosts).toEqual(hosts);
    expect(stage().reader.read(assignment({})).hosts).toEqual([]);
  });

  it('of a static member has the group told once that it can be asked at another place than its former self', () => {
    const named = (endpoint: string): Partial<AssignmentData> => ({
      packedHosts: packHosts([{ endpoint, activeTasks: [], standbyTasks: [] }], 1) as Buffer,
    });
    const reasons = (staticEndpoint: string | undefined, ...words: Partial<AssignmentData>[]): boolean[] => {
      const { reader } = stage({ staticEndpoint });
      return words.map((word) => reader.read(assignment(word)).rejoinReason?.includes('another place') === true);
    };
    expect(reasons('h:2', named('h:1'), named('h:2'), named('h:1'))).toEqual([true, false, true]);
    expect(reasons('h:2', {}, {}), 'a leader that never names it is not asked for ever').toEqual([true, false]);
    expect(reasons(undefined, named('h:1'))).toEqual([false]);
  });

  it('has nothing when the leader says nothing', () => {
    expect(stage().reader.read({ partitions: [], userData: undefined }).tasks).toEqual({ active: [], standby: [] });
  });
});

describe('AssignmentReader, in a group that runs another topology (F39)', () => {
  const group = contract(topology('a', 'c'));
  const groupTopology = { fingerprint: group.fingerprint, contract: packContract(group) };

  it('waits without tasks, and says once what is different', () => {
    const { reader, warnings } = stage();
    for (const _round of [1, 2]) expect(reader.read(assignment({ groupTopology })).tasks.active).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.difference).toContain('only in the group: sub-topology 1 reads c');
    expect(warnings[0]?.difference).toContain('only in this worker: sub-topology 1 reads b');
  });

  it('refuses with the difference, if that is the policy', () => {
    const { reader } = stage({ onTopologyMismatch: 'refuse' });
    expect(() => reader.read(assignment({ groupTopology }))).toThrow(
      expect.objectContaining({
        code: 'TOPOLOGY_MISMATCH',
        message: expect.stringContaining('only in the group: sub-topology 1 reads c'),
      }),
    );
  });
});
