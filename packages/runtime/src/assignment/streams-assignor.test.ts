import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  formatTaskId,
  silentLogger,
  systemClock,
  TopologyError,
  topicPartitionKey,
  type LogFields,
} from '@millrace/core';
import type { Admin, MemberAssignment, MemberSubscription, Offsets } from '@millrace/client';
import { isOwnTransactionalId, transactionalIdOf } from '../topics/topic-names.ts';
import { AT_ONCE, decodeAssignmentData, encodeAssignmentData, NO_ASSIGNMENT, type AssignmentData } from './assignment-data.ts';
import { LATEST_OFFSET } from './placement/placement-input.ts';
import { SETTINGS } from './placement/simulated-group.ts';
import { unpackHosts } from './packed-hosts.ts';
import type { PlannedTask } from './plan-tasks.ts';
import { StreamsAssignor } from './streams-assignor.ts';
import { encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';
import { unpackContract } from './topology-contract.ts';

const PROCESS = '00000000-0000-4000-8000-00000000000';
const END = 100_000;
const transactionalId = (process: number): string => transactionalIdOf('app', `${PROCESS}${process}`, 0);

const self: SubscriptionData = {
  processId: `${PROCESS}0`,
  transactionalId: transactionalId(0),
  fingerprint: 'f',
  endpoint: '',
  activeTasks: [],
  standbyTasks: [],
  stateOffsets: new Map(),
  clientTags: new Map(),
  asksForShutdown: false,
};

function member(process: number, data: Partial<SubscriptionData> = {}, generationId = 7): MemberSubscription {
  const own = { processId: `${PROCESS}${process}`, transactionalId: transactionalId(process) };
  const userData = encodeSubscriptionData({ ...self, ...own, ...data });
  return { memberId: `m${process}`, groupInstanceId: undefined, topics: ['in'], ownedPartitions: [], userData, generationId };
}

/** A member that runs tasks `0_<partition>`. */
function running(process: number, partitions: readonly number[], data: Partial<SubscriptionData> = {}): MemberSubscription {
  const activeTasks = partitions.map((partition) => ({ subtopology: 0, partition }));
  const stateOffsets = new Map(activeTasks.map((id) => [formatTaskId(id), LATEST_OFFSET]));
  return member(process, { activeTasks, stateOffsets, ...data });
}

const TASKS: PlannedTask[] = [0, 1].map((partition) => ({
  id: { subtopology: 0, partition },
  partitions: [
    { topic: 'in', partition },
    { topic: 'other', partition },
  ],
  changelogs: [{ topic: 'changelog', partition }],
}));

class Stage {
  open: string[] = [];
  readonly fenced: string[] = [];
  fenceFailure: Error | undefined;
  readonly warnings: string[] = [];
  planFailure: Error | undefined;
  endOffset: number | Error = 0;
  numStandbyReplicas = 0;

  get assignor(): StreamsAssignor {
    const { numStandbyReplicas } = this;
    return new StreamsAssignor({
      admin: {
        listOpenTransactions: async () => this.open,
        fenceTransactionalId: async (id: string) => {
          this.fenced.push(id);
          if (this.fenceFailure !== undefined) throw this.fenceFailure;
        },
      } as unknown as Admin,
      offsets: {
        list: async (partitions: readonly { topic: string; partition: number }[]) => {
          const { endOffset } = this;
          if (endOffset instanceof Error) throw endOffset;
          return new Map(partitions.map(({ topic, partition }) => [topicPartitionKey(topic, partition), endOffset]));
        },
      } as unknown as Offsets,
      clock: systemClock,
      logger: { ...silentLogger, warn: (message: string, _fields?: LogFields) => void this.warnings.push(message) },
      placement: { ...SETTINGS, numStandbyReplicas },
      probingRebalanceIntervalMs: 600_000,
      contract: { fingerprint: 'f', facts: ['a fact'], description: 'Topologies:\n' },
      transactionTimeoutMs: 1000,
      topics: () => ['in', 'other'],
      describeSelf: () => self,
      planTasks: async () => {
        if (this.planFailure !== undefined) throw this.planFailure;
        return TASKS;
      },
      isOwnTransactionalId: (id) => isOwnTransactionalId('app', id),
    });
  }

  async words(...members: MemberSubscription[]): Promise<Record<string, AssignmentData>> {
    return wordsOf(await this.assignor.assign(members));
  }

  /** Tasks by member. */
  async assign(...members: MemberSubscription[]): Promise<Record<string, string[]>> {
    const words = await this.words(...members);
    return Object.fromEntries(Object.entries(words).map(([id, { activeTasks }]) => [id, activeTasks.map(formatTaskId)]));
  }
}

function wordsOf(assignment: ReadonlyMap<string, MemberAssignment>): Record<string, AssignmentData> {
  const read = ({ userData }: MemberAssignment): AssignmentData => decodeAssignmentData(userData ?? Buffer.alloc(0));
  return Object.fromEntries([...assignment].map(([id, one]) => [id, read(one)]));
}

describe('StreamsAssignor', () => {
  it('hands out every task once, with all partitions that it reads', async () => {
    const stage = new Stage();
    expect(await stage.assign(member(1), member(2))).toEqual({ m1: ['0_0'], m2: ['0_1'] });
    const assignment = await stage.assignor.assign([member(1)]);
    expect(assignment.get('m1')?.partitions).toEqual(TASKS.flatMap(({ partitions }) => partitions));
  });

  it('tells every member to stop when one of them asks for it', async () => {
    const words = await new Stage().words(member(1), member(2, { asksForShutdown: true }));
    expect(Object.keys(words)).toHaveLength(2);
    for (const word of Object.values(words)) expect(word).toMatchObject({ activeTasks: [], shutdown: true });
  });

  it('tells every member why nobody can work', async () => {
    const stage = new Stage();
    stage.planFailure = new TopologyError('INTERNAL_TOPIC_PARTITIONS', 'too many partitions', { topic: 'x' });
    const error = { code: 'INTERNAL_TOPIC_PARTITIONS', message: 'too many partitions', topic: 'x' };
    expect(await stage.words(member(1), running(2, [0]))).toMatchObject({ m1: { error }, m2: { error, activeTasks: [] } });
  });

  it('tells nobody to stop because the leader itself is stopping', async () => {
    const stage = new Stage();
    stage.planFailure = new CancelledError('the transport is closed');
    await expect(stage.words(member(1), member(2))).rejects.toThrow(CancelledError);
  });

  it('tells the group what it reads and what it has', () => {
    const { topics, userData } = new Stage().assignor.subscription();
    expect(topics).toEqual(['in', 'other']);
    expect(userData).toEqual(encodeSubscriptionData(self));
  });

  it('refuses a group with members of another framework', async () => {
    const foreign: MemberSubscription = { ...member(1), memberId: 'java', userData: undefined };
    await expect(new Stage().assign(foreign)).rejects.toMatchObject({
      code: 'FOREIGN_MEMBER',
      message: expect.stringContaining('java'),
    });
  });
});

describe('StreamsAssignor, moving tasks', () => {
  it('leaves tasks with the members that run them', async () => {
    expect(await new Stage().assign(running(1, [1]), running(2, [0]))).toEqual({ m1: ['0_1'], m2: ['0_0'] });
  });

  it('hands a task out only after the member that runs it has given it up', async () => {
    expect(await new Stage().assign(running(1, [0, 1]), member(2))).toEqual({ m1: ['0_0'], m2: [] });
    expect(await new Stage().assign(running(1, [0]), member(2))).toEqual({ m1: ['0_0'], m2: ['0_1'] });
  });

  it('has the member that gives a task up ask for the next rebalance, be it by its successor, and nobody else', async () => {
    const { m1, m2, m3 } = await new Stage().words(running(1, [0, 1]), member(2), member(3));
    expect([m1?.nextRebalanceMs, m2?.nextRebalanceMs, m3?.nextRebalanceMs]).toEqual([AT_ONCE, -1, -1]);
  });

  it('keeps the promise of a task whatever its last commit has added, and lets the member follow its state until then', async () => {
    const stage = new Stage();
    stage.endOffset = END;
    const { assignor } = stage;
    const follows = (at: number): Partial<SubscriptionData> => ({
      standbyTasks: [{ subtopology: 0, partition: 1 }],
      stateOffsets: new Map([['0_1', at]]),
    });
    const before = wordsOf(await assignor.assign([running(1, [0, 1]), member(2, follows(END))]));
    expect(before.m1?.activeTasks.map(formatTaskId)).toEqual(['0_0']);
    expect(before.m2).toMatchObject({ activeTasks: [], standbyTasks: [{ subtopology: 0, partition: 1 }] });
    const closedAt = END + 2 * SETTINGS.acceptableRecoveryLag;
    stage.endOffset = closedAt;
    const stateOffsets = new Map([
      ['0_0', LATEST_OFFSET],
      ['0_1', closedAt],
    ]);
    const closed = (generationId: number): MemberSubscription[] => [
      { ...running(1, [0], { stateOffsets }), generationId },
      { ...member(2, follows(END)), generationId },
    ];
    const later = wordsOf(await assignor.assign(closed(9)));
    expect(later.m1?.activeTasks.map(formatTaskId), 'another leader may have meant something else').toEqual(['0_0', '0_1']);
    await assignor.assign([running(1, [0, 1]), member(2, follows(closedAt))]);
    const next = wordsOf(await assignor.assign(closed(8)));
    expect(next.m2?.activeTasks.map(formatTaskId)).toEqual(['0_1']);
  });

  it('hands it out at once when the member has been out of the group: what it says it runs may be old', async () => {
    const stale = { ...running(1, [0, 1]), generationId: 5 };
    expect(await new Stage().assign(stale, running(2, [0, 1]))).toEqual({ m1: [], m2: ['0_0'] });
    expect(await new Stage().assign({ ...stale, generationId: -1 }, member(2))).toEqual({ m1: ['0_0'], m2: ['0_1'] });
  });

  it('gives a task that two members say they run to neither', async () => {
    expect(await new Stage().assign(running(1, [0, 1]), running(2, [1]))).toEqual({ m1: ['0_0'], m2: [] });
  });

  it('says which states are to be warmed up, how far, and when to look again', async () => {
    const stage = new Stage();
    stage.endOffset = END;
    const { m1, m2 } = await stage.words(running(1, [0, 1]), member(2));
    expect(m1?.activeTasks).toHaveLength(2);
    expect(m2?.standbyTasks.map(formatTaskId)).toEqual(['0_1']);
    expect(m2?.warmUpGoals).toEqual(new Map([['0_1', END - SETTINGS.acceptableRecoveryLag / 2]]));
    expect([m1?.nextRebalanceMs, m2?.nextRebalanceMs]).toEqual([600_000, 600_000]);
  });

  it('places copies, and is content with that', async () => {
    const stage = new Stage();
    stage.endOffset = END;
    stage.numStandbyReplicas = 1;
    const words = await stage.words(running(1, [0]), running(2, [1]));
    expect(words.m1).toMatchObject({ standbyTasks: [{ subtopology: 0, partition: 1 }], nextRebalanceMs: -1 });
    expect(words.m2?.madeFor).toEqual({ processId: `${PROCESS}2`, fingerprint: 'f' });
  });

  it('leaves tasks where they are when the ends of the changelogs cannot be looked up, and tries again soon', async () => {
    const stage = new Stage();
    stage.endOffset = new Error('no leader');
    const { m1 } = await stage.words(running(1, [0, 1]), member(2));
    expect(m1).toMatchObject({ activeTasks: [{ partition: 0 }, { partition: 1 }], nextRebalanceMs: 10_000 });
    expect(stage.warnings).toEqual([expect.stringContaining('ends of the changelogs are unknown')]);
  });
});

describe('StreamsAssignor, where the tasks are', () => {
  const at = (endpoint: string): Partial<SubscriptionData> => ({ endpoint });
  /** What each member is told: the active and the standby tasks by endpoint. */
  async function hosts(stage: Stage, ...members: MemberSubscription[]): Promise<unknown[]> {
    const words = await stage.words(...members);
    return Object.values(words).map(({ packedHosts }) =>
      Object.fromEntries(
        unpackHosts(packedHosts).map(({ endpoint, activeTasks, standbyTasks }) => [
          endpoint,
          [activeTasks.map(formatTaskId), standbyTasks.map(formatTaskId)],
        ]),
      ),
    );
  }

  it('tells all members, of those that can be asked', async () => {
    const told = { 'b:1': [['0_0'], []] };
    expect(await hosts(new Stage(), member(1, at('b:1')), member(2))).toEqual([told, told]);
    expect(await hosts(new Stage(), member(1), member(2))).toEqual([{}, {}]);
  });

  it('tells nothing, and no more than before, when none can be asked', async () => {
    const assignment = await new Stage().assignor.assign([member(1)]);
    const before = {
      ...NO_ASSIGNMENT,
      activeTasks: TASKS.map(({ id }) => id),
      madeFor: { processId: `${PROCESS}1`, fingerprint: 'f' },
    };
    expect(assignment.get('m1')?.userData).toEqual(encodeAssignmentData(before));
  });

  it('names a task that changes hands where it still runs', async () => {
    const [told] = await hosts(new Stage(), running(1, [0, 1], at('a:1')), member(2, at('b:1')));
    expect(told).toEqual({ 'a:1': [['0_0', '0_1'], []], 'b:1': [[], []] });
    const [next] = await hosts(new Stage(), running(1, [0], at('a:1')), member(2, at('b:1')));
    expect(next).toEqual({ 'a:1': [['0_0'], []], 'b:1': [['0_1'], []] });
  });

  it('does not name a task that two members say they run: both close it', async () => {
    const [told] = await hosts(new Stage(), running(1, [0, 1], at('a:1')), running(2, [1], at('b:1')));
    expect(told).toEqual({ 'a:1': [['0_0'], []], 'b:1': [[], []] });
  });

  it('names copies and states that are warmed up', async () => {
    const stage = new Stage();
    stage.endOffset = END;
    const [warming] = await hosts(stage, running(1, [0, 1], at('a:1')), member(2, at('b:1')));
    expect(warming).toEqual({ 'a:1': [['0_0', '0_1'], []], 'b:1': [[], ['0_1']] });
    stage.numStandbyReplicas = 1;
    const [copied] = await hosts(stage, running(1, [0], at('a:1')), running(2, [1], at('b:1')));
    expect(copied).toEqual({ 'a:1': [['0_0'], ['0_1']], 'b:1': [['0_1'], ['0_0']] });
  });

  it('makes one host of the threads of a process, which have one endpoint', async () => {
    const threads = [running(1, [0], at('a:1')), running(2, [1], at('a:1'))] as const;
    expect((await hosts(new Stage(), ...threads))[0]).toEqual({ 'a:1': [['0_0', '0_1'], []] });
  });

  it('says nothing to members with another topology: the tasks are not theirs', async () => {
    const [first, second] = await hosts(
      new Stage(),
      running(1, [0, 1], at('a:1')),
      member(2, { ...at('b:1'), fingerprint: 'g' }),
    );
    expect([first, second]).toEqual([{ 'a:1': [['0_0', '0_1'], []] }, {}]);
  });
});

describe('StreamsAssignor, departed workers', () => {
  it('fences those of this application that left a transaction open, and nobody else', async () => {
    const stage = new Stage();
    stage.open = [transactionalId(1), transactionalId(9), transactionalIdOf('application', `${PROCESS}8`, 0), 'foreign'];
    await stage.assign(member(1));
    expect(stage.fenced).toEqual([transactionalId(9)]);
  });

  it('assigns all the same when fencing fails', async () => {
    const stage = new Stage();
    stage.open = [transactionalId(9)];
    stage.fenceFailure = new Error('not authorized');
    expect(await stage.assign(member(1))).toEqual({ m1: ['0_0', '0_1'] });
    expect(stage.warnings).toEqual([expect.stringContaining('could not fence')]);
  });

  it('looks for no transactions at least once', async () => {
    const stage = new Stage();
    stage.open = [transactionalId(9)];
    await stage.assign(member(1, { transactionalId: '' }));
    expect(stage.fenced).toEqual([]);
  });
});

describe('StreamsAssignor, members with another topology (F39)', () => {
  it('gives them nothing, and tells them what the group runs', async () => {
    const words = await new Stage().words(running(1, [0, 1]), member(2, { fingerprint: 'g' }));
    expect(words.m1?.activeTasks).toHaveLength(2);
    expect(words.m2).toMatchObject({ ...NO_ASSIGNMENT, madeFor: { fingerprint: 'g' }, groupTopology: { fingerprint: 'f' } });
    expect(unpackContract(words.m2?.groupTopology?.contract ?? Buffer.alloc(0))?.facts).toEqual(['a fact']);
  });

  it('goes with those that own tasks, even if the others are more', async () => {
    const words = await new Stage().words(running(1, [0]), member(2, { fingerprint: 'g' }), member(3, { fingerprint: 'g' }));
    expect(words.m1?.activeTasks).toHaveLength(2);
  });

  it('goes with the majority when nobody owns a task, and with the leader among equals', async () => {
    const others = [member(2, { fingerprint: 'g' }), member(3, { fingerprint: 'g' })] as const;
    await expect(new Stage().assign(member(1), ...others)).rejects.toMatchObject({ code: 'TOPOLOGY_NOT_THE_GROUPS' });
    expect(await new Stage().assign(member(1), others[0])).toEqual({ m1: ['0_0', '0_1'], m2: [] });
  });

  it('does not lead a group that runs another topology', async () => {
    const assigned = new Stage().assign(member(1), running(2, [0, 1], { fingerprint: 'g' }));
    await expect(assigned).rejects.toMatchObject({ name: 'RetriableError', code: 'TOPOLOGY_NOT_THE_GROUPS' });
  });
});
