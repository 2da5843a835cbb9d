import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptDataError, SettingsError, type TaskId } from '@millrace/core';
import { decodeAssignmentData, encodeAssignmentData, NO_ASSIGNMENT, type AssignmentData } from './assignment-data.ts';
import { UserDataWriter } from './binary.ts';
import { decodeSubscriptionData, encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';

const ids = fc.uniqueArray(fc.record({ subtopology: fc.nat(9), partition: fc.nat(99) }), {
  selector: ({ subtopology, partition }) => 100 * subtopology + partition,
  maxLength: 8,
});
const sorted = (tasks: readonly TaskId[]): TaskId[] =>
  [...tasks].sort((a, b) => a.subtopology - b.subtopology || a.partition - b.partition);
const text = fc.string({ maxLength: 30 });
const offsets = fc.array(fc.tuple(text, fc.maxSafeInteger())).map((entries) => new Map(entries));

const subscriptions: fc.Arbitrary<SubscriptionData> = fc.record({
  processId: text,
  transactionalId: text,
  fingerprint: text,
  endpoint: text,
  activeTasks: ids.map(sorted),
  standbyTasks: ids.map(sorted),
  stateOffsets: offsets,
  clientTags: fc.array(fc.tuple(text, text)).map((entries) => new Map(entries)),
  asksForShutdown: fc.boolean(),
});

const filled = fc.string({ minLength: 1, maxLength: 30 });
const assignments: fc.Arbitrary<AssignmentData> = fc.record({
  activeTasks: ids.map(sorted),
  standbyTasks: ids.map(sorted),
  warmUpGoals: offsets,
  nextRebalanceMs: fc.integer({ min: -1 }),
  madeFor: fc.option(fc.record({ processId: filled, fingerprint: text }), { nil: undefined }),
  shutdown: fc.boolean(),
  error: fc.option(fc.record({ code: filled, message: text, topic: fc.option(filled, { nil: undefined }) }), { nil: undefined }),
  groupTopology: fc.option(fc.record({ fingerprint: filled, contract: fc.uint8Array().map((bytes) => Buffer.from(bytes)) }), {
    nil: undefined,
  }),
  packedHosts: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
});

const task = (writer: UserDataWriter) => (id: string) => void writer.string(id);

/** What the first version of the protocol said. */
function oldSubscription(): Buffer {
  const writer = new UserDataWriter().int32(1).string('p').string('t').string('f').string('');
  writer.list(['0_1'], task(writer));
  writer.list([['0_1', 7] as const], ([id, offset]) => void writer.string(id).int64(offset));
  return writer.int32(1).toBuffer();
}

function oldAssignment(): Buffer {
  const writer = new UserDataWriter().int32(1);
  return writer.list(['0_1'], task(writer)).int32(0).toBuffer();
}

describe('user data', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(subscriptions, assignments, (subscription, assignment) => {
        expect(decodeSubscriptionData(encodeSubscriptionData(subscription))).toEqual(subscription);
        expect(decodeAssignmentData(encodeAssignmentData(assignment))).toEqual(assignment);
      }),
    );
  });

  it('of the first version is understood', () => {
    const activeTasks = [{ subtopology: 0, partition: 1 }];
    expect(decodeSubscriptionData(oldSubscription())).toEqual({
      processId: 'p',
      transactionalId: 't',
      fingerprint: 'f',
      endpoint: '',
      activeTasks,
      standbyTasks: [],
      stateOffsets: new Map([['0_1', 7]]),
      clientTags: new Map(),
      asksForShutdown: true,
    });
    expect(decodeAssignmentData(oldAssignment())).toEqual({ ...NO_ASSIGNMENT, activeTasks });
  });

  it('of a program that knows no hosts is understood, and such a program understands this one', () => {
    const before = encodeAssignmentData(NO_ASSIGNMENT);
    const bytes = encodeAssignmentData({ ...NO_ASSIGNMENT, packedHosts: Buffer.from('hosts') });
    expect(bytes.subarray(0, before.length)).toEqual(before);
    expect(decodeAssignmentData(before)).toEqual(NO_ASSIGNMENT);
    expect(decodeAssignmentData(Buffer.concat([bytes, Buffer.from('of a later one')]))).toEqual(decodeAssignmentData(bytes));
  });

  it.each([0, 3, 99])('of version %i is refused, with the way out', (version) => {
    const bytes = Buffer.from(encodeAssignmentData(NO_ASSIGNMENT));
    bytes.writeInt32BE(version, 0);
    expect(() => decodeAssignmentData(bytes)).toThrow(SettingsError);
    expect(() => decodeSubscriptionData(bytes)).toThrow('upgrade this process');
  });

  it('refuses every truncation', () => {
    const [subscription] = fc.sample(subscriptions, { numRuns: 1, seed: 1 }) as [SubscriptionData];
    const written = [encodeSubscriptionData(subscription), encodeAssignmentData(NO_ASSIGNMENT)] as const;
    for (const [index, bytes] of written.entries()) {
      for (let end = 0; end < bytes.length; end++) {
        const cut = bytes.subarray(0, end);
        expect(() => (index === 0 ? decodeSubscriptionData(cut) : decodeAssignmentData(cut))).toThrow(CorruptDataError);
      }
    }
  });

  it('refuses any nonsense without reserving memory for it', () => {
    const version = Buffer.from([0, 0, 0, 2]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        for (const decode of [decodeSubscriptionData, decodeAssignmentData]) {
          try {
            decode(Buffer.concat([version, Buffer.from(junk)]));
          } catch (error) {
            expect((error as { code?: string }).code).toMatch(/^(INVALID_USER_DATA|INVALID_TASK_ID)$/);
          }
        }
      }),
    );
  });
});
