import { describe, expect, it } from 'vitest';
import { formatTaskId, silentLogger, type LogFields } from '@millrace/core';
import type { Admin, MemberSubscription } from '@millrace/client';
import { isOwnTransactionalId, transactionalIdOf } from '../topics/topic-names.ts';
import { decodeAssignmentData } from './assignment-data.ts';
import { StreamsAssignor, type PlannedTask } from './streams-assignor.ts';
import { encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';

const PROCESS = '00000000-0000-4000-8000-00000000000';
const transactionalId = (process: number): string => transactionalIdOf('app', `${PROCESS}${process}`, 0);

const self: SubscriptionData = {
  processId: `${PROCESS}0`,
  transactionalId: transactionalId(0),
  fingerprint: 'f',
  endpoint: '',
  activeTasks: [],
  stateOffsets: new Map(),
  asksForShutdown: false,
};

function member(process: number, data: Partial<SubscriptionData> = {}): MemberSubscription {
  const userData = encodeSubscriptionData({ ...self, transactionalId: transactionalId(process), ...data });
  return { memberId: `m${process}`, groupInstanceId: undefined, topics: ['in'], ownedPartitions: [], userData };
}

const TASKS: PlannedTask[] = [0, 1].map((partition) => ({
  id: { subtopology: 0, partition },
  stateful: true,
  partitions: [
    { topic: 'in', partition },
    { topic: 'other', partition },
  ],
}));

class Stage {
  open: string[] = [];
  readonly fenced: string[] = [];
  fenceFailure: Error | undefined;
  readonly warnings: string[] = [];

  readonly assignor = new StreamsAssignor({
    admin: {
      listOpenTransactions: async () => this.open,
      fenceTransactionalId: async (id: string) => {
        this.fenced.push(id);
        if (this.fenceFailure !== undefined) throw this.fenceFailure;
      },
    } as unknown as Admin,
    logger: { ...silentLogger, warn: (message: string, _fields?: LogFields) => void this.warnings.push(message) },
    transactionTimeoutMs: 1000,
    topics: () => ['in', 'other'],
    describeSelf: () => self,
    planTasks: async () => TASKS,
    isOwnTransactionalId: (id) => isOwnTransactionalId('app', id),
  });

  /** Tasks by member. */
  async assign(...members: MemberSubscription[]): Promise<Record<string, string[]>> {
    const assignment = await this.assignor.assign(members);
    return Object.fromEntries(
      [...assignment].map(([id, { userData }]) => [
        id,
        decodeAssignmentData(userData ?? Buffer.alloc(0)).activeTasks.map(formatTaskId),
      ]),
    );
  }
}

describe('StreamsAssignor', () => {
  it('hands out every task once, with all partitions that it reads', async () => {
    const stage = new Stage();
    expect(await stage.assign(member(1), member(2))).toEqual({ m1: ['0_0'], m2: ['0_1'] });
    const assignment = await stage.assignor.assign([member(1)]);
    expect(assignment.get('m1')?.partitions).toEqual(TASKS.flatMap(({ partitions }) => partitions));
  });

  it('tells every member to stop when one of them asks for it', async () => {
    const assignment = await new Stage().assignor.assign([member(1), member(2, { asksForShutdown: true })]);
    for (const { userData } of assignment.values()) {
      expect(decodeAssignmentData(userData ?? Buffer.alloc(0))).toEqual({ activeTasks: [], shutdown: true });
    }
    expect(assignment.size).toBe(2);
  });

  it('leaves tasks with the members that run them', async () => {
    const running = (process: number, partition: number): MemberSubscription =>
      member(process, { activeTasks: [{ subtopology: 0, partition }] });
    expect(await new Stage().assign(running(1, 1), running(2, 0))).toEqual({ m1: ['0_1'], m2: ['0_0'] });
  });

  it('fences departed workers of this application that left a transaction open, and nobody else', async () => {
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

  it('warns of members with different topologies', async () => {
    const stage = new Stage();
    await stage.assign(member(1), member(2, { fingerprint: 'g' }));
    expect(stage.warnings).toEqual([expect.stringContaining('different topologies')]);
  });

  it('refuses a group with members of another framework', async () => {
    const foreign: MemberSubscription = { ...member(1), memberId: 'java', userData: undefined };
    await expect(new Stage().assign(foreign)).rejects.toMatchObject({
      code: 'FOREIGN_MEMBER',
      message: expect.stringContaining('java'),
    });
  });

  it('tells the group what it reads and what it has', () => {
    const { topics, userData } = new Stage().assignor.subscription();
    expect(topics).toEqual(['in', 'other']);
    expect(userData).toEqual(encodeSubscriptionData(self));
  });
});
