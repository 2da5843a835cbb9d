import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTaskId, silentLogger, systemClock, topicPartitionKey, type TaskId, type TopicPartition } from '@millrace/core';
import type { Admin, MemberSubscription, Offsets } from '@millrace/client';
import { decodeAssignmentData } from './assignment-data.ts';
import { LATEST_OFFSET } from './placement/placement-input.ts';
import { SETTINGS, tasksOf } from './placement/simulated-group.ts';
import type { PlannedTask } from './plan-tasks.ts';
import { StreamsAssignor } from './streams-assignor.ts';
import { encodeSubscriptionData } from './subscription-data.ts';

const CHANGELOG_END = 1_000_000;
/** What a task writes with its last commit, before another member has it: more than is accepted. */
const LAST_COMMIT = SETTINGS.acceptableRecoveryLag + 1;

interface Worker {
  readonly memberId: string;
  /** Tasks that it runs, or has not closed yet. */
  running: Set<string>;
  /** Tasks whose state it follows. */
  following: Set<string>;
  /** How far the state of tasks goes that it has had or followed. */
  readonly disk: Map<string, number>;
  /** Of the assignment that it has taken over last. */
  generation: number;
}

/** Workers that may be slow to take over what they are told, miss a generation, or come and go. */
class Group {
  readonly workers = new Map<string, Worker>();
  readonly #ends = new Map<string, number>();
  readonly #tasks: readonly PlannedTask[];
  readonly #assignor: StreamsAssignor;
  #generation = 0;
  #joined = 0;

  constructor(counts: readonly number[]) {
    this.#tasks = tasksOf(...counts).map(({ id, stateful }) => ({
      id,
      partitions: [{ topic: `in-${id.subtopology}`, partition: id.partition }],
      changelogs: stateful ? [{ topic: `log-${id.subtopology}`, partition: id.partition }] : [],
    }));
    this.#assignor = new StreamsAssignor({
      admin: {} as Admin,
      offsets: {
        list: async (partitions: readonly TopicPartition[]) =>
          new Map(
            partitions.map(({ topic, partition }) => [
              topicPartitionKey(topic, partition),
              this.#endOf(`${topic.slice('log-'.length)}_${partition}`),
            ]),
          ),
      } as unknown as Offsets,
      clock: systemClock,
      logger: silentLogger,
      placement: SETTINGS,
      probingRebalanceIntervalMs: 1000,
      contract: { fingerprint: 'f', facts: [], description: '' },
      transactionTimeoutMs: 1000,
      topics: () => [],
      describeSelf: () => {
        throw new Error('not asked');
      },
      planTasks: async () => this.#tasks,
      isOwnTransactionalId: () => false,
    });
  }

  add(): void {
    const memberId = `m${this.#joined++}`;
    this.workers.set(memberId, { memberId, running: new Set(), following: new Set(), disk: new Map(), generation: -1 });
  }

  remove(memberId: string): void {
    this.workers.delete(memberId);
  }

  /** It was out of the group for a while, and does not know yet that its tasks are not its own any more. */
  interrupt(memberId: string): void {
    const worker = this.workers.get(memberId);
    if (worker !== undefined) worker.generation = -1;
  }

  /** @returns how many tasks changed hands, or are followed by somebody else */
  async rebalance(): Promise<number> {
    const workers = [...this.workers.values()];
    const assignment = await this.#assignor.assign(workers.map(subscriptionOf));
    this.#generation++;
    let changes = 0;
    for (const worker of workers) {
      const told = decodeAssignmentData(assignment.get(worker.memberId)?.userData ?? Buffer.alloc(0));
      const active = new Set(told.activeTasks.map(formatTaskId));
      // One that was interrupted opens everything anew.
      const opened = [...active].filter((task) => worker.generation < 0 || !worker.running.has(task));
      // Nobody has closed anything yet when the first one opens what it is given.
      for (const task of opened) expectRunByNobodyElse(task, worker, workers);
      changes += opened.length + [...worker.running].filter((task) => !active.has(task)).length;
      const following = new Set(told.standbyTasks.map(formatTaskId));
      changes += [...following].filter((task) => !worker.following.has(task)).length;
      for (const task of following) worker.disk.set(task, this.#endOf(task));
      worker.following = following;
    }
    // Those that follow have read up to the end by now, except for what is written last.
    for (const worker of workers) {
      const told = decodeAssignmentData(assignment.get(worker.memberId)?.userData ?? Buffer.alloc(0));
      this.#takeOver(worker, new Set(told.activeTasks.map(formatTaskId)));
    }
    return changes;
  }

  #takeOver(worker: Worker, running: Set<string>): void {
    for (const task of worker.running) {
      if (running.has(task)) continue;
      this.#ends.set(task, this.#endOf(task) + LAST_COMMIT);
      worker.disk.set(task, this.#endOf(task));
    }
    worker.running = running;
    worker.generation = this.#generation;
  }

  #endOf(task: string): number {
    return this.#ends.get(task) ?? CHANGELOG_END;
  }

  get run(): string[] {
    return [...this.workers.values()].flatMap(({ running }) => [...running]).sort();
  }

  get all(): string[] {
    return this.#tasks.map(({ id }) => formatTaskId(id)).sort();
  }
}

/** A worker whose membership was interrupted commits nothing any more: what it runs does not count. */
function expectRunByNobodyElse(task: string, worker: Worker, workers: readonly Worker[]): void {
  const others = workers.filter((other) => other !== worker && other.generation >= 0 && other.running.has(task));
  expect(
    others.map(({ memberId }) => memberId),
    `${task} is opened by ${worker.memberId}`,
  ).toEqual([]);
}

function subscriptionOf({ memberId, running, following, disk, generation }: Worker): MemberSubscription {
  const idsOf = (tasks: ReadonlySet<string>): TaskId[] =>
    [...tasks].map((task) => {
      const [subtopology = 0, partition = 0] = task.split('_').map(Number);
      return { subtopology, partition };
    });
  const userData = encodeSubscriptionData({
    processId: memberId,
    transactionalId: '',
    fingerprint: 'f',
    endpoint: '',
    activeTasks: idsOf(running),
    standbyTasks: idsOf(following),
    stateOffsets: new Map([...disk, ...[...running].map((task) => [task, LATEST_OFFSET] as const)]),
    clientTags: new Map(),
    asksForShutdown: false,
  });
  return { memberId, groupInstanceId: undefined, topics: [], ownedPartitions: [], userData, generationId: generation };
}

describe('cooperative rebalances', () => {
  it('never let two members run one task, and leave none without a member', async () => {
    const events = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'interrupt', 'rebalance'), fc.nat(100)), { maxLength: 30 });
    const counts = fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(counts, events, async (sizes, happened) => {
        const group = new Group(sizes);
        group.add();
        for (const [event, number] of happened) {
          const ids = [...group.workers.keys()];
          const picked = ids[number % ids.length] as string;
          if (event === 'add') group.add();
          else if (event === 'interrupt') group.interrupt(picked);
          else if (event === 'rebalance') await group.rebalance();
          else if (ids.length > 1) group.remove(picked);
        }
        // A task that has to move does so in two rebalances once its state is warm; two are warmed up at a time.
        const most = 3 + 2 * group.all.length;
        let rounds = 0;
        while ((await group.rebalance()) > 0 && rounds <= most) rounds++;
        expect(group.run).toEqual(group.all);
        expect(rounds).toBeLessThanOrEqual(most);
      }),
    );
  });
});
