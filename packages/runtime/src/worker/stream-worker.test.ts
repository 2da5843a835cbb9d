import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  FatalStreamsError,
  RetriableError,
  silentLogger,
  systemClock,
  TaskCorruptedError,
  TaskMigratedError,
  TransactionAbortedError,
  type Clock,
} from '@millrace/core';
import type { GroupMember } from '@millrace/client';
import type { Committer } from '../commit/committer.ts';
import type { RefusedRecords } from '../commit/refused-records.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { CommitSchedule } from './commit-schedule.ts';
import type { Input } from './input.ts';
import { Membership } from './membership.ts';
import type { RepartitionPurge } from './repartition-purge.ts';
import { StreamWorker } from './stream-worker.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import type { AssignedTask } from './task-assignment.ts';
import type { TaskManager } from './task-manager.ts';

const TASK: AssignedTask = { id: { subtopology: 0, partition: 0 }, partitions: [] };

/** The worker with everything around it replaced by a script that writes down what is asked of it. */
class Stage {
  readonly calls: string[] = [];
  readonly stop = new AbortController();
  memberState: GroupMember['state'] = 'unjoined';
  metadata: GroupMember['metadata'];
  /** Each entry answers one commit; when they are used up, commits succeed. */
  readonly commitFailures: Error[] = [];
  startFailure: Error | undefined;
  /** What the production handler says of refused records. */
  refused: () => ReturnType<RefusedRecords['judge']> = () => 'none';
  /** Answers to the first calls that take over an assignment. */
  readonly assignFailures: Error[] = [];
  /** What the next joins bring; when they are used up, the task. */
  readonly assignments: (readonly AssignedTask[])[] = [];
  /** The next join tells that the member was out of the group. */
  isInterrupted = false;
  /** The next joins end with it. */
  joinIsHeld: Promise<void> | undefined;
  /** Called with the first commit. */
  onceCommitted: (() => void) | undefined;
  /** Called with each rollback of the tasks. */
  onRollback: () => void = () => undefined;
  /** Ends the run after this many successful commits. */
  commitsUntilStop = 1;
  staysMember = false;
  clock: Clock = systemClock;
  /** What opening the state of the task anew ends with; when they are used up, it succeeds. */
  readonly reviveFailures: Error[] = [];
  /** Answers to whether the disk has room; when they are used up, it has. */
  readonly room: boolean[] = [];
  onRoomAsked: () => void = () => undefined;
  /** Member id given by the next join. */
  memberId = 'm';
  /** What asynchronous operators of the task have under way. */
  asyncWork = { held: 0, progress: Promise.resolve() };
  /** What user code waits for in the middle of a record. */
  pending: Promise<void> | undefined;
  /** False: the worker has to wait for input, of which none ever comes. */
  hasInput = true;
  readonly rollbackFailures: Error[] = [];
  /** True while it waits. */
  isWaiting = false;
  /** How often the task was asked to process. */
  turns = 0;
  /** True once the worker has got its tasks. */
  assigned = false;

  readonly task = ((stage: Stage) => ({
    taskId: '0_0',
    get pending() {
      return stage.pending;
    },
    settling: undefined,
    get asyncWork() {
      return stage.asyncWork;
    },
    forwardResults: () => {
      if (stage.isWaiting) stage.calls.push('forward results');
      return 0;
    },
    commitRequested: true,
    commitNeeded: true,
    dirtyBytes: 0,
    hasUnflushed: false,
    process: () => {
      stage.turns++;
      return 0;
    },
    punctuate: () => undefined,
    nextWakeUpMs: () => Number.POSITIVE_INFINITY,
    flushCaches: () => this.calls.push('flush'),
    prepareCommit: () => this.calls.push('prepare'),
    committableOffsets: () => [],
    completeCommit: () => {
      this.calls.push('complete');
      return Promise.resolve();
    },
  }))(this) as unknown as StreamTask;

  readonly committer: Committer = {
    appender: { backPressure: false } as Committer['appender'],
    start: () => this.#note('start', this.startFailure),
    commit: async () => {
      await this.#note('commit', this.commitFailures.shift());
      this.onceCommitted?.();
      this.onceCommitted = undefined;
      this.commitsUntilStop--;
      if (this.commitsUntilStop <= 0) this.stop.abort();
    },
    rollback: () => this.#note('abort'),
    restart: () => this.#note('restart'),
    close: () => this.#note('close producer'),
  };

  readonly member = (() => {
    const stage = this;
    return {
      get state() {
        return stage.memberState;
      },
      get metadata() {
        return stage.metadata;
      },
      error: undefined,
      async join() {
        stage.calls.push('join');
        await stage.joinIsHeld;
        stage.memberState = 'stable';
        stage.metadata = {
          groupId: 'g',
          memberId: stage.memberId,
          generationId: (stage.metadata?.generationId ?? 0) + 1,
          groupInstanceId: undefined,
        };
        const isUnbroken = !stage.isInterrupted;
        stage.isInterrupted = false;
        return { partitions: [], userData: undefined, isUnbroken };
      },
      requestRejoin() {
        stage.calls.push('request rejoin');
        stage.memberState = 'rejoin-needed';
      },
      leave: () => {
        stage.memberState = 'unjoined';
        return this.#note('leave');
      },
      close: () => this.#note('close membership'),
    } as unknown as GroupMember;
  })();

  readonly manager = (() => {
    const stage = this;
    return {
      tasks: {
        running: [this.task],
        get all() {
          return stage.assigned ? [stage.task] : [];
        },
        get size() {
          return stage.assigned ? 1 : 0;
        },
      },
      throwFailure: () => undefined,
      cleanIfDue: () => undefined,
      stopRestore: () => Promise.resolve(),
      assign: () => {
        stage.assigned = true;
        return this.#note('assign', stage.assignFailures.shift());
      },
      rollbackAll: () => {
        stage.onRollback();
        return this.#note('rollback', stage.rollbackFailures.shift());
      },
      reviveCorrupted: (taskId: string) => this.#note(`revive ${taskId}`, stage.reviveFailures.shift()),
      giveUpAll: () => {
        stage.assigned = false;
        return stage.#note('give up all tasks');
      },
      hasRoom: async (taskId: string) => {
        await stage.#note(`room for ${taskId}?`);
        stage.onRoomAsked();
        return stage.room.shift() ?? true;
      },
      closeAll: (clean: boolean) => stage.#note(clean ? 'close tasks' : 'drop tasks'),
      close: () => stage.#note('close tasks'),
    } as unknown as TaskManager;
  })();

  get joins(): number {
    return this.calls.filter((call) => call === 'join').length;
  }

  async #note(call: string, failure?: Error): Promise<void> {
    this.calls.push(call);
    if (failure !== undefined) throw failure;
  }

  readonly #waitForInput = (_timeoutMs: number, signal: AbortSignal): Promise<void> => {
    this.isWaiting = true;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  };

  async run(): Promise<string[]> {
    const input = {
      handleFailures: () => Promise.resolve(),
      deliver: () => false,
      resumeDrained: () => undefined,
      committed: () => undefined,
      fetcher: { available: this.hasInput, wait: this.#waitForInput, close: () => Promise.resolve() },
    } as unknown as Input;
    const worker = new StreamWorker({
      clock: this.clock,
      logger: silentLogger,
      member: this.member,
      membership: new Membership({
        member: this.member,
        clock: this.clock,
        readAssignment: () => ({
          tasks: { active: this.assignments.shift() ?? [TASK], standby: [] },
          warmUpGoals: new Map(),
          nextRebalanceMs: -1,
          rejoinReason: undefined,
          hosts: [],
        }),
        stateOffsets: () => new Map(),
      }),
      committer: this.committer,
      refused: { judge: () => this.refused() } as unknown as RefusedRecords,
      input,
      manager: this.manager,
      schedule: new CommitSchedule(1_000_000, 1_000_000, systemClock.nowMs()),
      purge: { committed: () => undefined } as unknown as RepartitionPurge,
      metrics: { commits: { add: () => undefined }, observeLag: () => undefined } as unknown as WorkerMetrics,
      pollMs: 1,
      asyncDrainMs: 0,
      staysMember: () => this.staysMember,
      events: { onRebalancing: () => undefined, onRunning: () => undefined },
    });
    await worker.run(this.stop.signal);
    return this.calls;
  }
}

/** A clock that jumps to the end of each sleep. */
function jumpingClock(): Clock {
  let now = 0;
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) throw new CancelledError();
    now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { nowMs: () => now, monotonicMs: () => now, sleep, setTimer: () => () => undefined };
}

const noRoom = (): Error => new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId: '0_0' });

const COMMIT = ['flush', 'prepare', 'commit', 'complete'];
/** The last commit of a stop succeeds as well. */
const STOP = [...COMMIT, 'close tasks', 'close producer', 'leave'];

describe('StreamWorker', () => {
  it('fences, joins, commits, and on a stop commits once more before it closes and leaves', async () => {
    const stage = new Stage();
    expect(await stage.run()).toEqual(['start', 'join', 'assign', ...COMMIT, ...STOP]);
  });

  it('is woken by the result of an asynchronous operator, and forwards it', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 2;
    stage.hasInput = false;
    let comeIn!: () => void;
    const progress = new Promise<void>((resolve) => {
      comeIn = resolve;
    });
    stage.asyncWork = { held: 1, progress };
    const run = stage.run();
    await expect.poll(() => stage.isWaiting).toBe(true);
    comeIn();
    expect(await run).toEqual(['start', 'join', 'assign', ...COMMIT, 'forward results', ...COMMIT, ...STOP]);
  });

  it('does not leave the group when it is a static member', async () => {
    const stage = new Stage();
    stage.staysMember = true;
    expect((await stage.run()).slice(-2)).toEqual(['close producer', 'close membership']);
  });

  it('tries to fence again when that fails for a passing reason', async () => {
    const stage = new Stage();
    stage.startFailure = new TransactionAbortedError('X', 'not now');
    const run = stage.run();
    await systemClock.sleep(5);
    stage.startFailure = undefined;
    const calls = await run;
    expect(calls.filter((call) => call === 'start').length).toBeGreaterThan(1);
    expect(calls.indexOf('join')).toBeGreaterThan(calls.lastIndexOf('start'));
  });

  it('goes back to the last commit when a transaction was aborted', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TransactionAbortedError('X', 'aborted'));
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('commit abort rollback flush prepare commit complete');
  });

  it('repeats the commit without refused records when the handler gives them up', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new FatalStreamsError('X', 'refused'));
    stage.refused = () => (stage.commitFailures.length === 0 ? 'go-on' : 'none');
    expect((await stage.run()).join(' ')).toContain('prepare commit commit complete');
  });

  it('stops on a refused record that would be refused again', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TransactionAbortedError('X', 'aborted'));
    stage.refused = () => {
      throw new FatalStreamsError('RECORD_REFUSED', 'too large');
    };
    await expect(stage.run()).rejects.toThrow('too large');
  });

  it('keeps at it when going back fails too', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TransactionAbortedError('X', 'aborted'), new TransactionAbortedError('X', 'again'));
    const calls = await stage.run();
    expect(calls.filter((call) => call === 'rollback')).toHaveLength(2);
  });

  it('drops its tasks and joins again when they belong to somebody else', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TaskMigratedError('X', 'fenced'));
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('commit request rejoin drop tasks restart');
    expect(calls.filter((call) => call === 'join')).toHaveLength(2);
  });

  it('revives a task whose state cannot be trusted before the others go back', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TaskCorruptedError('X', 'rotten', { taskId: '0_0' }));
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('commit revive 0_0 abort rollback');
  });

  it('revives each of several tasks whose local writes have failed at once, and goes on only then', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TaskCorruptedError('X', 'no room', { taskId: '0_0' }));
    stage.rollbackFailures.push(new TaskCorruptedError('X', 'no room', { taskId: '0_1' }));
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('commit revive 0_0 abort rollback revive 0_1 abort rollback flush prepare commit');
  });

  it('F14: keeps its tasks while a disk is full for a moment', async () => {
    const stage = new Stage();
    stage.clock = jumpingClock();
    stage.commitFailures.push(noRoom());
    stage.reviveFailures.push(noRoom(), noRoom());
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('commit revive 0_0 revive 0_0 revive 0_0 abort rollback flush prepare commit');
    expect(calls).not.toContain('give up all tasks');
  });

  it('F14: hands its tasks to others when the disk stays full, and joins again when it has room', async () => {
    const stage = new Stage();
    stage.clock = jumpingClock();
    stage.commitFailures.push(noRoom());
    stage.reviveFailures.push(...Array.from({ length: 20 }, noRoom));
    stage.room.push(false, false);
    const calls = await stage.run();
    const [before, after] = calls.join(' ').split(' abort give up all tasks leave ');
    expect(before).toMatch(/( revive 0_0){4,8}$/);
    expect(after).toMatch(/^room for 0_0\? room for 0_0\? room for 0_0\? restart join assign flush prepare commit/);
  });

  it('F14: ends at once when it is stopped while it waits for room', async () => {
    const stage = new Stage();
    stage.clock = jumpingClock();
    stage.commitFailures.push(noRoom());
    stage.reviveFailures.push(...Array.from({ length: 20 }, noRoom));
    stage.room.push(false);
    stage.onRoomAsked = () => stage.stop.abort();
    const calls = await stage.run();
    expect(calls.slice(-4)).toEqual(['room for 0_0?', 'close tasks', 'close producer', 'leave']);
  });

  it('takes an assignment over again when that failed for a passing reason, without another rebalance', async () => {
    const stage = new Stage();
    stage.assignFailures.push(new RetriableError('X', 'a topic has no leader'));
    const calls = await stage.run();
    expect(calls.join(' ')).toContain('start join assign abort rollback assign flush');
    expect(calls.filter((call) => call === 'join')).toHaveLength(1);
  });

  it('commits nothing when it is stopped in the middle of a recovery', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new TransactionAbortedError('X', 'aborted'));
    stage.onRollback = () => {
      stage.stop.abort();
      throw new CancelledError();
    };
    const calls = await stage.run();
    expect(calls.filter((call) => call === 'commit')).toHaveLength(1);
    expect(calls.slice(-4)).toEqual(['drop tasks', 'close tasks', 'close producer', 'leave']);
  });

  it('commits before a rebalance and keeps its tasks when the membership was not broken', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 2;
    const run = stage.run();
    stage.memberState = 'unjoined';
    await expect(run).resolves.toBeDefined();
    expect(stage.calls.filter((call) => call === 'drop tasks').length).toBeLessThanOrEqual(1);
  });

  it('drops its tasks when it came back as another member', async () => {
    const stage = new Stage();
    stage.metadata = { groupId: 'g', memberId: 'before', generationId: 4, groupInstanceId: undefined };
    stage.memberState = 'lost';
    const calls = await stage.run();
    expect(calls.slice(0, 3)).toEqual(['start', 'drop tasks', 'restart']);
  });

  it('goes on with its tasks while it joins, but commits nothing before the join has ended', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 3;
    let end!: () => void;
    stage.onceCommitted = () => {
      stage.memberState = 'rejoin-needed';
      stage.joinIsHeld = new Promise((resolve) => {
        end = resolve;
      });
    };
    const run = stage.run();
    await expect.poll(() => stage.joins).toBe(2);
    const [turns, calls] = [stage.turns, stage.calls.length];
    await expect.poll(() => stage.turns).toBeGreaterThan(turns + 5);
    expect(stage.calls.slice(calls)).toEqual([]);
    end();
    await run;
    expect(stage.calls.join(' ')).toContain('flush prepare commit complete join assign flush prepare commit');
  });

  it('commits and closes what others are to have, and asks for the rebalance in which they get it', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 4;
    stage.assignments.push([TASK], []);
    stage.onceCommitted = () => {
      stage.memberState = 'rejoin-needed';
    };
    await stage.run();
    expect(stage.calls.join(' ')).toContain('join flush prepare commit complete assign request rejoin');
  });

  it('drops its tasks as soon as it hears, while it joins, that the group went on without it', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 3;
    let end!: () => void;
    stage.onceCommitted = () => {
      stage.memberState = 'rejoin-needed';
      stage.joinIsHeld = new Promise((resolve) => {
        end = resolve;
      });
    };
    const run = stage.run();
    await expect.poll(() => stage.joins).toBe(2);
    stage.memberState = 'lost';
    await expect.poll(() => stage.calls.at(-1)).toBe('restart');
    expect(stage.calls.slice(-3)).toEqual(['join', 'drop tasks', 'restart']);
    stage.isInterrupted = true;
    end();
    await run;
  });

  it.each([
    ['goes on', 'join drop tasks restart assign'],
    ['is told to stop', 'join abort drop tasks close tasks'],
  ])('commits nothing when a record was waited for until after the join in which it hears so, and it %s', async (what, calls) => {
    const stage = new Stage();
    stage.commitsUntilStop = 3;
    let [endJoin, endRecord] = [(): void => undefined, (): void => undefined];
    stage.onceCommitted = () => {
      stage.memberState = 'rejoin-needed';
      stage.isInterrupted = true;
      stage.joinIsHeld = new Promise((resolve) => {
        endJoin = resolve;
      });
    };
    const run = stage.run();
    await expect.poll(() => stage.joins).toBe(2);
    stage.pending = new Promise((resolve) => {
      endRecord = resolve;
    });
    const { turns } = stage;
    await expect.poll(() => stage.turns).toBeGreaterThan(turns);
    endJoin();
    await expect.poll(() => stage.memberState).toBe('stable');
    if (what === 'is told to stop') stage.stop.abort();
    stage.pending = undefined;
    endRecord();
    await run;
    expect(stage.calls.join(' ')).toContain(calls);
  });

  it('drops its tasks when the membership was interrupted unnoticed', async () => {
    const stage = new Stage();
    stage.commitsUntilStop = 3;
    stage.onceCommitted = () => {
      stage.isInterrupted = true;
      stage.memberState = 'rejoin-needed';
    };
    await stage.run();
    expect(stage.calls.join(' ')).toContain('join drop tasks restart assign');
  });

  it('gives everything up and passes on what nobody can mend', async () => {
    const stage = new Stage();
    stage.commitFailures.push(new FatalStreamsError('X', 'not allowed'));
    await expect(stage.run()).rejects.toThrow('not allowed');
    expect(stage.calls.join(' ')).toContain('commit abort drop tasks');
    expect(stage.calls.at(-1)).toBe('leave');
  });

  it('does not wait for anything once it is told to stop', async () => {
    const stage = new Stage();
    stage.startFailure = new CancelledError();
    stage.stop.abort();
    expect((await stage.run()).at(-1)).toBe('leave');
  });
});
