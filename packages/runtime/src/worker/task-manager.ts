import type { CommittedOffset } from '@millrace/client';
import { CancelledError, formatTaskId, StreamsError, topicPartitionKey, type Logger } from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import type { Restorer } from '../restore/restorer.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import type { StreamTask } from '../task/stream-task.ts';
import type { CommittedOffsets, Input } from './input.ts';
import type { AssignedTask, TaskAssignment } from './task-assignment.ts';
import { TaskSet } from './task-set.ts';

export interface TaskManagerOptions {
  readonly directory: StateDirectory;
  readonly engine: StateEngine;
  readonly input: Input;
  readonly restorer: Restorer;
  readonly logger: Logger;
  /**
   * Opens the task's database and stores; the task is not restored yet.
   *
   * @param tasksOnWorker how many tasks share the worker's memory
   */
  readonly openTask: (assigned: AssignedTask, tasksOnWorker: number) => Promise<StreamTask>;
  /** All tasks are restored and take records. */
  readonly onAllRunning: () => void;
}

/**
 * Opens, restores and closes the tasks of a worker.
 *
 * Restoring goes on in the background while other tasks run; its failure is kept until the worker's loop asks for it.
 */
export class TaskManager {
  readonly tasks = new TaskSet();
  readonly #options: TaskManagerOptions;
  #restoring: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  #failure: Error | undefined;

  constructor(options: TaskManagerOptions) {
    this.#options = options;
  }

  /** True when every task takes records. */
  get allRunning(): boolean {
    return this.tasks.running.length === this.tasks.size;
  }

  /** State that is known of tasks, for the next subscription: what is open, and what lies on disk. */
  stateOffsets(): Map<string, number> {
    const offsets = new Map(this.#options.directory.tasks().map((id) => [formatTaskId(id), 0]));
    for (const task of this.tasks.all) offsets.set(task.taskId, task.changelogOffsetSum());
    return offsets;
  }

  /**
   * Makes the assignment so: closes what is not in it (its work is committed), keeps what is open, opens and restores the rest.
   */
  async assign({ active }: TaskAssignment, signal: AbortSignal): Promise<void> {
    const wanted = new Set(active.map(({ id }) => formatTaskId(id)));
    for (const task of this.tasks.all) if (!wanted.has(task.taskId)) await this.#close(task, true);
    for (const one of active) if (!this.tasks.has(formatTaskId(one.id))) await this.#open(one, active.length);
    this.#startRestore(signal);
  }

  /** Restores what is not restored yet, unless that is under way. */
  #startRestore(signal: AbortSignal): void {
    if (this.#restoring !== undefined) return;
    const tasks = this.tasks.restoring;
    if (tasks.length === 0) {
      this.#options.onAllRunning();
      return;
    }
    const controller = new AbortController();
    const combined = AbortSignal.any([signal, controller.signal]);
    this.#restoring = { controller, done: this.#restore(tasks, combined) };
  }

  /** Interrupts restoring; what was restored so far is kept. */
  async stopRestore(): Promise<void> {
    const restoring = this.#restoring;
    if (restoring === undefined) return;
    this.#restoring = undefined;
    restoring.controller.abort(new CancelledError('restoring interrupted'));
    await restoring.done;
  }

  /** @throws what made restoring fail, once */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** Every running task goes back to its last commit: rows, queues and positions. Restoring that had failed begins again. */
  async rollbackAll(signal: AbortSignal): Promise<void> {
    for (const task of this.tasks.running) {
      task.rollback();
      await this.#options.input.reopen(task, signal);
    }
    this.#startRestore(signal);
  }

  /** Puts the state of a task aside and opens it anew; `rollbackAll`, which the other tasks need, restores it too. */
  async reviveCorrupted(taskId: string): Promise<void> {
    await this.stopRestore();
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    await this.#close(task, false);
    await this.#options.engine.quarantine(this.#options.directory.taskPath(taskId));
    await this.#open({ id: task.id, partitions: task.inputPartitions }, this.tasks.size + 1);
  }

  /** @param clean whether everything is committed; if not, uncommitted work is dropped */
  async closeAll(clean: boolean): Promise<void> {
    await this.stopRestore();
    this.#failure = undefined;
    for (const task of this.tasks.all) await this.#close(task, clean);
  }

  async #restore(tasks: readonly StreamTask[], signal: AbortSignal): Promise<void> {
    const { input, restorer, onAllRunning } = this.#options;
    const opening: Promise<void>[] = [];
    try {
      // Before the ends of the changelogs are looked up: see `committedOffsets`.
      const offsets = await input.committedOffsets(tasks, signal);
      for (const task of tasks) task.resumeEmission(committedOf(task, offsets));
      await restorer.restore(tasks, offsets, (task) => opening.push(this.#run(task, offsets, signal)), signal);
      await Promise.all(opening);
      this.#restoring = undefined;
      onAllRunning();
    } catch (error) {
      await Promise.allSettled(opening);
      // Whoever interrupts restoring waits for it, and has taken it down already.
      if (signal.aborted) return;
      this.#restoring = undefined;
      this.#failure = error as Error;
    }
  }

  async #run(task: StreamTask, offsets: CommittedOffsets, signal: AbortSignal): Promise<void> {
    await this.#options.input.open(task, offsets, signal);
    this.tasks.setRunning(task);
  }

  /** A database that cannot be opened because it is damaged is put aside once; restoring fills the new one. */
  async #open(assigned: AssignedTask, tasksOnWorker: number): Promise<void> {
    try {
      this.tasks.add(await this.#options.openTask(assigned, tasksOnWorker));
    } catch (error) {
      if (!(error instanceof StreamsError) || error.name !== 'TaskCorruptedError') throw error;
      const taskId = formatTaskId(assigned.id);
      this.#options.logger.warn('the local state of a task is damaged; it is put aside and restored from the changelog', {
        taskId,
        error,
      });
      await this.#options.engine.quarantine(this.#options.directory.taskPath(taskId));
      this.tasks.add(await this.#options.openTask(assigned, tasksOnWorker));
    }
  }

  async #close(task: StreamTask, clean: boolean): Promise<void> {
    this.#options.input.close(task);
    this.tasks.remove(task);
    await task.close({ clean });
  }
}

function committedOf(task: StreamTask, offsets: CommittedOffsets): CommittedOffset[] {
  return task.inputPartitions.flatMap(({ topic, partition }) => offsets.get(topicPartitionKey(topic, partition)) ?? []);
}
