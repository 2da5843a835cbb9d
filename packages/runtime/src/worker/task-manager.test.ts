import { describe, expect, it } from 'vitest';
import { type Clock, formatTaskId, RetriableError, silentLogger, TaskCorruptedError, type TaskId } from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import type { Restorer } from '../restore/restorer.ts';
import type { StandbyUpdater } from '../standby/standby-updater.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import type { StreamTask } from '../task/stream-task.ts';
import type { CommittedOffsets, Input } from './input.ts';
import type { AssignedTask } from './task-assignment.ts';
import { TaskManager } from './task-manager.ts';

const id = (partition: number): TaskId => ({ subtopology: 0, partition });
const assigned = (...partitions: number[]): AssignedTask[] =>
  partitions.map((partition) => ({ id: id(partition), partitions: [{ topic: 'in', partition }] }));

/** The manager over scripted neighbours that write down what is asked of them. */
class Stage {
  readonly calls: string[] = [];
  /** Answers to the next calls, by call. */
  readonly failures = new Map<string, Error>();
  /** Restoring waits for this. */
  gate: Promise<void> = Promise.resolve();
  readonly offsets: CommittedOffsets = new Map();
  readonly #never = new AbortController().signal;
  /** When standbys were told to pause, and to go on. */
  readonly pauses: string[] = [];
  /** Tasks that are followed. */
  readonly standbys = new Set<string>();
  /** Tasks whose state another thread has open. */
  readonly openElsewhere = new Set<string>();
  /** What the clock says. */
  nowMs = 0;
  readonly #onStateDiskFull: 'wait' | 'fail';

  constructor(onStateDiskFull: 'wait' | 'fail' = 'wait') {
    this.#onStateDiskFull = onStateDiskFull;
    this.manager = this.#createManager();
  }

  readonly manager: TaskManager;

  #createManager(): TaskManager {
    return new TaskManager({
      directory: {
        taskPath: (taskId: string) => `dir/${taskId}`,
        tasks: () => [id(7), id(1), id(8)],
        storedOffsetSum: () => 20,
        ensure: () => undefined,
      } as unknown as StateDirectory,
      cleaner: {
        cleanIfDue: (isHeld) => this.#note(`clean ${['0_1', '0_2', '0_3'].filter((one) => !isHeld(one)).join()}`),
        interrupt: async () => undefined,
      },
      clock: { monotonicMs: () => this.nowMs, sleep: settled as Clock['sleep'] } as Clock,
      onStateDiskFull: this.#onStateDiskFull,
      standbys: this.#scriptedStandbys(),
      engine: {
        quarantine: (path: string) => this.#note(`quarantine ${path}`),
        open: async ({ directory }: { directory: string }) => {
          await this.#note(`open ${directory}`);
          return { close: () => this.#note(`close ${directory}`) };
        },
      } as unknown as StateEngine,
      input: {
        committedOffsets: async (tasks: readonly StreamTask[]) => {
          await this.#note(`offsets ${tasks.map(({ taskId }) => taskId).join()}`);
          return this.offsets;
        },
        open: (task: StreamTask) => this.#note(`read ${task.taskId}`),
        reopen: (task: StreamTask) => this.#note(`rewind ${task.taskId}`),
        close: (task: StreamTask) => void this.calls.push(`unread ${task.taskId}`),
      } as unknown as Input,
      restorer: {
        restore: async (
          tasks: readonly StreamTask[],
          _committed: CommittedOffsets,
          onReady: (task: StreamTask) => void,
          signal: AbortSignal,
        ) => {
          await this.#note(`restore ${tasks.map(({ taskId }) => taskId).join()}`);
          await Promise.race([this.gate, aborted(signal)]);
          for (const task of tasks) onReady(task);
        },
      } as unknown as Restorer,
      logger: silentLogger,
      openTask: async ({ id: { partition }, partitions }, tasksOnWorker, parts) => {
        await this.#note(`open 0_${partition} of ${tasksOnWorker}${parts === undefined ? '' : ' over warm state'}`);
        if (this.openElsewhere.has(`0_${partition}`)) throw new RetriableError('STATE_LOCKED', 'open elsewhere');
        return this.#task(partition, partitions);
      },
      onAllRunning: () => void this.calls.push('all running'),
    });
  }

  #scriptedStandbys(): StandbyUpdater {
    const { standbys } = this;
    return {
      get taskIds() {
        return [...standbys];
      },
      has: (taskId: string) => standbys.has(taskId),
      offsetSums: () => [...standbys].map((taskId) => [taskId, 30] as const),
      add: async (task: TaskId, databases?: unknown) => {
        standbys.add(formatTaskId(task));
        await this.#note(`follow ${formatTaskId(task)}${databases === undefined ? '' : ' over databases'}`);
      },
      drop: async (taskId: string) => {
        standbys.delete(taskId);
        await this.#note(`drop ${taskId}`);
      },
      dropAll: async () => {
        for (const taskId of standbys) await this.#note(`drop ${taskId}`);
        standbys.clear();
      },
      promote: async (taskId: string) => (standbys.delete(taskId) ? 'warm state' : undefined),
      pause: () => void this.pauses.push('pause'),
      resume: () => void this.pauses.push('resume'),
      close: () => this.#note('close standbys'),
    } as unknown as StandbyUpdater;
  }

  #task(partition: number, inputPartitions: AssignedTask['partitions']): StreamTask {
    const taskId = `0_${partition}`;
    return {
      id: id(partition),
      taskId,
      inputPartitions,
      changelogOffsetSum: () => 40 + partition,
      resumeEmission: () => undefined,
      rollback: () => void this.calls.push(`rollback ${taskId}`),
      detach: async () => 'databases',
      close: ({ clean }: { clean: boolean }) => this.#note(`close ${taskId}${clean ? '' : ' dirty'}`),
    } as unknown as StreamTask;
  }

  async #note(call: string): Promise<void> {
    this.calls.push(call);
    const failure = this.failures.get(call);
    this.failures.delete(call);
    if (failure !== undefined) throw failure;
  }

  async assign(...partitions: number[]): Promise<void> {
    await this.assignWith(partitions, []);
  }

  async assignWith(active: readonly number[], standby: readonly number[]): Promise<void> {
    await this.manager.assign({ active: assigned(...active), standby: standby.map(id) }, this.#never);
    await settled();
  }

  /** Rolls back and waits until what that starts has settled. */
  async rollback(): Promise<void> {
    await this.manager.rollbackAll(this.#never);
    await settled();
  }

  /** Hands over the calls since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const never = new Promise<void>(() => undefined);

const damaged = new TaskCorruptedError('STATE_CORRUPT', 'rotten');
const diskFull = new TaskCorruptedError('STATE_DISK_FULL', 'no room in dir/0_0');

describe('TaskManager', () => {
  it('lets the other tasks work while a state is open in another thread, and opens it when that has closed it', async () => {
    const stage = new Stage();
    stage.openElsewhere.add('0_1');
    await stage.assign(0, 1);
    await expect.poll(() => stage.calls).toContain('read 0_0');
    expect(stage.manager.allRunning).toBe(false);
    expect(stage.calls).not.toContain('all running');
    stage.openElsewhere.clear();
    await expect.poll(() => stage.calls).toContain('all running');
    expect(stage.take().slice(-5)).toEqual(['open 0_1 of 2', 'offsets 0_1', 'restore 0_1', 'read 0_1', 'all running']);
  });

  it('waits no longer for a state when its task is taken away', async () => {
    const stage = new Stage();
    stage.openElsewhere.add('0_1');
    await stage.assign(0, 1);
    await stage.assign(0);
    stage.take();
    await settled();
    await settled();
    expect(stage.take()).toEqual([]);
    expect(stage.manager.allRunning).toBe(true);
  });

  it('reads the committed offsets before it restores, and the input after', async () => {
    const stage = new Stage();
    await stage.assign(0, 1);
    expect(stage.take()).toEqual([
      'open 0_0 of 2',
      'open 0_1 of 2',
      'offsets 0_0,0_1',
      'restore 0_0,0_1',
      'read 0_0',
      'read 0_1',
      'all running',
    ]);
    expect(stage.manager.allRunning).toBe(true);
  });

  it('keeps the tasks that stay, closes those that go and opens those that come', async () => {
    const stage = new Stage();
    await stage.assign(0, 1);
    stage.take();
    await stage.assign(1, 2);
    expect(stage.take()).toEqual([
      'unread 0_0',
      'close 0_0',
      'open 0_2 of 2',
      'offsets 0_2',
      'restore 0_2',
      'read 0_2',
      'all running',
    ]);
  });

  it('is all running at once when nothing has to be restored', async () => {
    const stage = new Stage();
    await stage.assign(0);
    stage.take();
    await stage.assign(0);
    expect(stage.take()).toEqual(['all running']);
  });

  it('tells how much state it has: all of tasks that run, else what is open, or what lies on disk', async () => {
    const stage = new Stage();
    await stage.assignWith([1], [7]);
    stage.gate = never;
    await stage.assignWith([1, 2], [7]);
    expect(Object.fromEntries(stage.manager.stateOffsets())).toEqual({ '0_1': -2, '0_2': 42, '0_7': 30, '0_8': 20 });
    await stage.manager.closeAll(false);
  });

  it('opens a standby that becomes active over the state that it has', async () => {
    const stage = new Stage();
    await stage.assignWith([], [0]);
    stage.take();
    await stage.assign(0);
    expect(stage.take()[0]).toBe('open 0_0 of 1 over warm state');
    expect(stage.standbys.size).toBe(0);
  });

  it('goes on with an active task that becomes a standby over the databases that it has open', async () => {
    const stage = new Stage();
    await stage.assign(0);
    stage.take();
    await stage.assignWith([], [0]);
    expect(stage.take()).toEqual(['unread 0_0', 'follow 0_0 over databases', 'all running']);
  });

  it('follows what it is to follow, and no longer what it is not', async () => {
    const stage = new Stage();
    await stage.assignWith([], [0, 1]);
    stage.take();
    await stage.assignWith([], [1, 2]);
    expect(stage.take()).toEqual(['drop 0_0', 'follow 0_2', 'all running']);
  });

  it('lets standbys pause as long as an active task is restored', async () => {
    const stage = new Stage();
    let open: () => void = () => undefined;
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    await stage.assign(0);
    expect(stage.pauses).toEqual(['pause']);
    open();
    await settled();
    expect(stage.pauses).toEqual(['pause', 'resume']);
  });

  it('keeps its standbys when it gives up the active tasks, and closes them at the end', async () => {
    const stage = new Stage();
    await stage.assignWith([0], [1]);
    stage.take();
    await stage.manager.closeAll(false);
    expect(stage.take()).toEqual(['unread 0_0', 'close 0_0 dirty']);
    await stage.manager.close();
    expect(stage.take()).toEqual(['close standbys']);
  });

  it('keeps the failure of a restore until it is asked for, once, and restores again after a rollback', async () => {
    const stage = new Stage();
    stage.failures.set('restore 0_0', new RetriableError('X', 'no leader'));
    await stage.assign(0);
    expect(() => stage.manager.throwFailure()).toThrow('no leader');
    expect(() => stage.manager.throwFailure()).not.toThrow();
    stage.take();
    await stage.rollback();
    expect(stage.take()).toEqual(['offsets 0_0', 'restore 0_0', 'read 0_0', 'all running']);
  });

  it('rolls back what runs and leaves alone what is being restored', async () => {
    const stage = new Stage();
    await stage.assign(0);
    stage.gate = never;
    await stage.assign(0, 1);
    stage.take();
    await stage.rollback();
    expect(stage.take()).toEqual(['rollback 0_0', 'rewind 0_0']);
    await stage.manager.closeAll(false);
  });

  it('interrupts restoring for a rebalance, which is no failure, and takes it up again with the next assignment', async () => {
    const stage = new Stage();
    stage.gate = never;
    await stage.assign(0);
    await stage.manager.stopRestore();
    expect(() => stage.manager.throwFailure()).not.toThrow();
    stage.gate = Promise.resolve();
    stage.take();
    await stage.assign(0);
    expect(stage.take()).toEqual(['offsets 0_0', 'restore 0_0', 'read 0_0', 'all running']);
  });

  it('F16: puts a damaged database aside once and opens an empty one', async () => {
    const stage = new Stage();
    stage.failures.set('open 0_0 of 1', new TaskCorruptedError('X', 'rotten'));
    await stage.assign(0);
    expect(stage.take().slice(0, 3)).toEqual(['open 0_0 of 1', 'quarantine dir/0_0', 'open 0_0 of 1']);
  });

  it('F15, F16: revives a corrupted task without reading its state, and restores it with the rollback that follows', async () => {
    const stage = new Stage();
    await stage.assign(0, 1);
    stage.take();
    await stage.manager.reviveCorrupted('0_0', damaged);
    await stage.rollback();
    expect(stage.take()).toEqual([
      'unread 0_0',
      'close 0_0 dirty',
      'quarantine dir/0_0',
      'open 0_0 of 2',
      'rollback 0_1',
      'rewind 0_1',
      'offsets 0_0',
      'restore 0_0',
      'read 0_0',
      'all running',
    ]);
  });

  it('closes everything, and drops what had failed', async () => {
    const stage = new Stage();
    stage.failures.set('restore 0_0', new RetriableError('X', 'no leader'));
    await stage.assign(0);
    await stage.manager.closeAll(false);
    expect(stage.take().slice(-2)).toEqual(['unread 0_0', 'close 0_0 dirty']);
    expect(() => stage.manager.throwFailure()).not.toThrow();
    expect(stage.manager.tasks.size).toBe(0);
  });

  it('F16: gives up on state that fails again soon after it was restored', async () => {
    const stage = new Stage();
    await stage.assign(0);
    await stage.manager.reviveCorrupted('0_0', damaged);
    await stage.rollback();
    stage.nowMs = 59_000;
    await expect(stage.manager.reviveCorrupted('0_0', damaged)).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'STATE_KEEPS_FAILING',
      taskId: '0_0',
      cause: damaged,
    });
  });

  it('F16: does not mind damage that comes much later', async () => {
    const stage = new Stage();
    await stage.assign(0);
    for (const nowMs of [0, 60_000, 120_000]) {
      stage.nowMs = nowMs;
      await stage.manager.reviveCorrupted('0_0', damaged);
      await stage.rollback();
    }
    expect(stage.manager.allRunning).toBe(true);
  });

  it('F14: keeps state for which the disk has no room, and tries again until it has', async () => {
    const stage = new Stage();
    await stage.assign(0);
    stage.take();
    stage.failures.set('open 0_0 of 1', diskFull);
    await expect(stage.manager.reviveCorrupted('0_0', diskFull)).rejects.toBe(diskFull);
    await stage.manager.reviveCorrupted('0_0', diskFull);
    await stage.rollback();
    expect(stage.take()).toEqual([
      'unread 0_0',
      'close 0_0 dirty',
      'open 0_0 of 1',
      'open 0_0 of 1',
      'offsets 0_0',
      'restore 0_0',
      'read 0_0',
      'all running',
    ]);
  });

  it('F14: gives up standby tasks as well when others are to have everything', async () => {
    const stage = new Stage();
    await stage.assignWith([0], [1]);
    stage.take();
    await stage.manager.giveUpAll();
    expect(stage.take()).toEqual(['unread 0_0', 'close 0_0 dirty', 'drop 0_1']);
    expect(stage.manager.tasks.size).toBe(0);
  });

  it('F14: tells by opening the state whether there is room for it, and leaves it closed', async () => {
    const stage = new Stage();
    stage.failures.set('open dir/0_0', diskFull);
    expect(await stage.manager.hasRoom('0_0')).toBe(false);
    expect(await stage.manager.hasRoom('0_0')).toBe(true);
    expect(stage.take()).toEqual(['open dir/0_0', 'open dir/0_0', 'close dir/0_0']);
  });

  it('F14: does not take other damage for want of room', async () => {
    const stage = new Stage();
    stage.failures.set('open dir/0_0', damaged);
    expect(await stage.manager.hasRoom('0_0')).toBe(true);
  });

  it('F14: ends with an error when a full disk is not to be waited for', async () => {
    const stage = new Stage('fail');
    await stage.assign(0);
    await expect(stage.manager.reviveCorrupted('0_0', diskFull)).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'STATE_DISK_FULL',
      message: expect.stringContaining('no room in dir/0_0'),
    });
  });

  it('says what to check when damaged state cannot be put aside', async () => {
    const stage = new Stage();
    await stage.assign(0);
    stage.failures.set('quarantine dir/0_0', new Error('EROFS'));
    await expect(stage.manager.reviveCorrupted('0_0', damaged)).rejects.toMatchObject({ code: 'STATE_DIRECTORY' });
  });

  it('has unused state deleted, but never that of its tasks and standbys', async () => {
    const stage = new Stage();
    await stage.assignWith([1], [2]);
    stage.manager.cleanIfDue();
    expect(stage.calls.at(-1)).toBe('clean 0_3');
  });

  it('has nothing deleted while tasks restore, or when it has none', async () => {
    const stage = new Stage();
    stage.manager.cleanIfDue();
    stage.gate = new Promise(() => undefined);
    await stage.assign(1);
    stage.manager.cleanIfDue();
    expect(stage.calls.filter((call) => call.startsWith('clean'))).toEqual([]);
  });
});
