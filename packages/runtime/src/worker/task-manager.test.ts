import { describe, expect, it } from 'vitest';
import { RetriableError, silentLogger, TaskCorruptedError, type TaskId } from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import type { Restorer } from '../restore/restorer.ts';
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

  readonly manager = new TaskManager({
    directory: {
      taskPath: (taskId: string) => `dir/${taskId}`,
      tasks: () => [id(7)],
    } as unknown as StateDirectory,
    engine: { quarantine: (path: string) => this.#note(`quarantine ${path}`) } as unknown as StateEngine,
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
    openTask: async ({ id: { partition }, partitions }, tasksOnWorker) => {
      await this.#note(`open 0_${partition} of ${tasksOnWorker}`);
      return this.#task(partition, partitions);
    },
    onAllRunning: () => void this.calls.push('all running'),
  });

  #task(partition: number, inputPartitions: AssignedTask['partitions']): StreamTask {
    const taskId = `0_${partition}`;
    return {
      id: id(partition),
      taskId,
      inputPartitions,
      changelogOffsetSum: () => 40 + partition,
      resumeEmission: () => undefined,
      rollback: () => void this.calls.push(`rollback ${taskId}`),
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
    await this.manager.assign({ active: assigned(...partitions), standby: [] }, this.#never);
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

describe('TaskManager', () => {
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

  it('tells what state it has: of open tasks how much, of tasks on disk that there is some', async () => {
    const stage = new Stage();
    await stage.assign(1);
    expect([...stage.manager.stateOffsets()]).toEqual([
      ['0_7', 0],
      ['0_1', 41],
    ]);
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

  it('puts a damaged database aside once and opens an empty one', async () => {
    const stage = new Stage();
    stage.failures.set('open 0_0 of 1', new TaskCorruptedError('X', 'rotten'));
    await stage.assign(0);
    expect(stage.take().slice(0, 3)).toEqual(['open 0_0 of 1', 'quarantine dir/0_0', 'open 0_0 of 1']);
  });

  it('revives a corrupted task without reading its state, and restores it with the rollback that follows', async () => {
    const stage = new Stage();
    await stage.assign(0, 1);
    stage.take();
    await stage.manager.reviveCorrupted('0_0');
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
});
