import type { CommittedOffset } from '@millrace/client';
import {
  CancelledError,
  FatalStreamsError,
  formatTaskId,
  topicPartitionKey,
  type Clock,
  type Logger,
  type TaskCorruptedError,
} from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import { LATEST_OFFSET } from '../assignment/placement/placement-input.ts';
import { isDiskFull, mustPutAside, RevivalLimit } from '../restore/revival-limit.ts';
import type { LocalState } from '../query/local-states.ts';
import type { Restorer } from '../restore/restorer.ts';
import type { StandbyUpdater } from '../standby/standby-updater.ts';
import type { StateCleaner } from '../state-directory/state-cleaner.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import type { StreamTask } from '../task/stream-task.ts';
import type { TaskParts } from '../task/task-parts.ts';
import type { CommittedOffsets, Input } from './input.ts';
import type { AssignedTask, TaskAssignment } from './task-assignment.ts';
import { TaskSet } from './task-set.ts';

/** How often a state is tried again that another thread has open still, and how many times before the others restore. Unit ms. */
const LOCKED_RETRY_MS = 50;
const LOCKED_RETRIES_FIRST = 10;

export interface TaskManagerOptions {
  readonly directory: StateDirectory;
  readonly cleaner: Pick<StateCleaner, 'cleanIfDue' | 'interrupt'>;
  readonly engine: StateEngine;
  readonly input: Input;
  readonly restorer: Restorer;
  readonly standbys: StandbyUpdater;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What to do when the disk has no room for state. */
  readonly onStateDiskFull: 'wait' | 'fail';
  /**
   * Opens the task's database and stores, or takes over those of a standby task; the task is not restored yet.
   *
   * @param tasksOnWorker how many tasks share the worker's memory
   */
  readonly openTask: (assigned: AssignedTask, tasksOnWorker: number, parts?: TaskParts) => Promise<StreamTask>;
  /** All tasks are restored and take records. */
  readonly onAllRunning: () => void;
}

/**
 * Opens, restores and closes the tasks of a worker, and has standby tasks followed.
 *
 * Restoring goes on in the background while other tasks run; its failure is kept until the worker's loop asks for it.
 */
export class TaskManager {
  readonly tasks = new TaskSet();
  readonly #options: TaskManagerOptions;
  readonly #revivals: RevivalLimit;
  /** Tasks that should be open, but could not be opened. */
  readonly #unopened = new Map<string, AssignedTask>();
  /** Those of them whose state another thread of the process, or another process, has open still. */
  readonly #locked = new Map<string, AssignedTask>();
  #restoring: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  #failure: Error | undefined;

  constructor(options: TaskManagerOptions) {
    this.#options = options;
    this.#revivals = new RevivalLimit(options.clock);
  }

  /** True when every task takes records. */
  get allRunning(): boolean {
    return this.tasks.running.length === this.tasks.size && this.#locked.size === 0;
  }

  /**
   * How much of the state of tasks is here, for the next subscription: −2 for those that run, else the sum of the changelog offsets
   * of what is open, or lies on disk.
   */
  stateOffsets(): Map<string, number> {
    const { directory, standbys } = this.#options;
    const offsets = new Map(directory.tasks().map((id) => [formatTaskId(id), directory.storedOffsetSum(formatTaskId(id))]));
    for (const [taskId, sum] of standbys.offsetSums()) offsets.set(taskId, sum);
    for (const task of this.tasks.restoring) offsets.set(task.taskId, task.changelogOffsetSum());
    for (const task of this.tasks.running) offsets.set(task.taskId, LATEST_OFFSET);
    return offsets;
  }

  /** All state that is open on this worker, for queries. */
  *localStates(): Generator<LocalState, void> {
    for (const { id, state } of this.tasks.running) yield { id, phase: 'running', state };
    for (const { id, state } of this.tasks.restoring) yield { id, phase: 'restoring', state };
    for (const { id, parts } of this.#options.standbys.openTasks()) yield { id, phase: 'standby', state: parts.state };
  }

  /**
   * Makes the assignment so: closes what is not in it (its work is committed), keeps what is open, opens and restores the rest. State
   * that stays on this worker in another role is handed over as it is.
   */
  async assign({ active, standby }: TaskAssignment, signal: AbortSignal): Promise<void> {
    const { standbys, cleaner } = this.#options;
    await cleaner.interrupt();
    await this.stopRestore();
    this.#unopened.clear();
    this.#locked.clear();
    const wanted = new Set(active.map(({ id }) => formatTaskId(id)));
    const warm = new Set(standby.map(formatTaskId));
    for (const taskId of standbys.taskIds) if (!wanted.has(taskId) && !warm.has(taskId)) await standbys.drop(taskId);
    for (const task of this.tasks.all) {
      if (wanted.has(task.taskId)) continue;
      if (warm.has(task.taskId)) await this.#demote(task);
      else await this.#close(task, true);
    }
    for (const one of active) {
      if (!this.tasks.has(formatTaskId(one.id))) await this.#openUnlessLocked(one, active.length + standby.length);
    }
    for (const id of standby) if (!standbys.has(formatTaskId(id))) await standbys.add(id);
    this.#startRestore(signal);
  }

  /** Restores what is not restored yet, unless that is under way. */
  #startRestore(signal: AbortSignal): void {
    if (this.#restoring !== undefined) return;
    const tasks = this.tasks.restoring;
    if (tasks.length === 0 && this.#locked.size === 0) {
      this.#options.onAllRunning();
      return;
    }
    const controller = new AbortController();
    const combined = AbortSignal.any([signal, controller.signal]);
    this.#options.standbys.pause();
    const done = this.#restore(tasks, combined).finally(() => this.#options.standbys.resume());
    this.#restoring = { controller, done };
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

  /**
   * Closes a task whose state has failed and opens it anew, damaged state having been put aside; `rollbackAll`, which the other tasks
   * need, restores it too.
   *
   * @throws TaskCorruptedError `STATE_DISK_FULL` when there is no room for the state still: to be called again after a while
   * @throws FatalStreamsError `STATE_KEEPS_FAILING`, `STATE_DISK_FULL` when it is not to be tried any more
   */
  async reviveCorrupted(taskId: string, cause: TaskCorruptedError): Promise<void> {
    await this.#options.cleaner.interrupt();
    await this.stopRestore();
    const task = this.tasks.get(taskId);
    if (task !== undefined) {
      await this.#close(task, false);
      this.#unopened.set(taskId, { id: task.id, partitions: task.inputPartitions });
      if (mustPutAside(cause)) await this.#putAside(taskId, cause);
    }
    if (isDiskFull(cause) && this.#options.onStateDiskFull === 'fail') {
      throw new FatalStreamsError('STATE_DISK_FULL', cause.message, { cause });
    }
    const assigned = this.#unopened.get(taskId);
    if (assigned !== undefined) await this.#open(assigned, this.tasks.size + 1);
  }

  /**
   * Gives up the active tasks; standby tasks are followed on.
   *
   * @param clean whether everything is committed; if not, uncommitted work is dropped
   */
  async closeAll(clean: boolean): Promise<void> {
    await this.#options.cleaner.interrupt();
    await this.stopRestore();
    this.#failure = undefined;
    this.#unopened.clear();
    this.#locked.clear();
    for (const task of this.tasks.all) await this.#close(task, clean);
  }

  /** Gives up standby tasks, too; what is uncommitted is dropped. */
  async giveUpAll(): Promise<void> {
    await this.closeAll(false);
    await this.#options.standbys.dropAll();
  }

  /** Whether the state of a task that is not open could be written again, as far as that can be told beforehand. */
  async hasRoom(taskId: string): Promise<boolean> {
    const { engine, directory, logger } = this.#options;
    try {
      const database = await engine.open({ directory: directory.taskPath(taskId), taskId, logger });
      await database.close();
      return true;
    } catch (error) {
      return !isDiskFull(error);
    }
  }

  /**
   * Has the state of tasks that moved away deleted when it is time. Not while tasks are missing that should be here, nor on a worker
   * without any: it may be waiting for the workers of another version to be gone.
   */
  cleanIfDue(): void {
    const { cleaner, standbys } = this.#options;
    if (!this.allRunning || (this.tasks.size === 0 && standbys.taskIds.length === 0)) return;
    void cleaner.cleanIfDue((taskId) => this.tasks.has(taskId) || this.#unopened.has(taskId) || standbys.has(taskId));
  }

  /** The worker ends: closes active and standby tasks. */
  async close(): Promise<void> {
    try {
      await this.closeAll(true);
    } finally {
      await this.#options.standbys.close();
    }
  }

  async #restore(open: readonly StreamTask[], signal: AbortSignal): Promise<void> {
    try {
      const unlocked = await this.#openLocked(LOCKED_RETRIES_FIRST, signal);
      if (open.length + unlocked.length > 0) await this.#restoreAndRun([...open, ...unlocked], signal);
      while (this.#locked.size > 0) {
        const late = await this.#openLocked(1, signal);
        if (late.length > 0) await this.#restoreAndRun(late, signal);
      }
      this.#restoring = undefined;
      this.#options.onAllRunning();
    } catch (error) {
      // Whoever interrupts restoring waits for it, and has taken it down already.
      if (signal.aborted) return;
      this.#restoring = undefined;
      this.#failure = error as Error;
    }
  }

  /** Opens what others have closed by now. What they still have open is in nobody's way. */
  async #openLocked(retries: number, signal: AbortSignal): Promise<StreamTask[]> {
    const opened: StreamTask[] = [];
    for (let retry = 0; retry < retries && this.#locked.size > 0; retry++) {
      await this.#options.clock.sleep(LOCKED_RETRY_MS, signal);
      for (const [taskId, assigned] of this.#locked) {
        signal.throwIfAborted();
        await this.#openUnlessLocked(assigned, this.tasks.size + this.#locked.size);
        const task = this.tasks.get(taskId);
        if (task !== undefined) opened.push(task);
      }
    }
    return opened;
  }

  async #restoreAndRun(tasks: readonly StreamTask[], signal: AbortSignal): Promise<void> {
    const { input, restorer } = this.#options;
    const opening: Promise<void>[] = [];
    try {
      // Before the ends of the changelogs are looked up: see `committedOffsets`.
      const offsets = await input.committedOffsets(tasks, signal);
      for (const task of tasks) task.resumeEmission(committedOf(task, offsets));
      await restorer.restore(tasks, offsets, (task) => opening.push(this.#run(task, offsets, signal)), signal);
      await Promise.all(opening);
    } finally {
      await Promise.allSettled(opening);
    }
  }

  async #run(task: StreamTask, offsets: CommittedOffsets, signal: AbortSignal): Promise<void> {
    await this.#options.input.open(task, offsets, signal);
    this.tasks.setRunning(task);
    this.#revivals.running(task.taskId);
  }

  /**
   * A state that moves between threads of a process may be open in the former one for a moment, or as long as that one is held up:
   * it is opened when that has closed it, while the other tasks work.
   */
  async #openUnlessLocked(assigned: AssignedTask, tasksOnWorker: number): Promise<void> {
    const taskId = formatTaskId(assigned.id);
    try {
      await this.#open(assigned, tasksOnWorker);
      this.#locked.delete(taskId);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'STATE_LOCKED') throw error;
      if (!this.#locked.has(taskId)) {
        this.#options.logger.info('waiting for the state of a task, which is open elsewhere', { taskId, error });
      }
      this.#locked.set(taskId, assigned);
    }
  }

  /** A database that cannot be opened because it is damaged is put aside once; restoring fills the new one. */
  async #open(assigned: AssignedTask, tasksOnWorker: number): Promise<void> {
    const { directory, openTask, standbys, logger } = this.#options;
    directory.ensure();
    const taskId = formatTaskId(assigned.id);
    this.#unopened.set(taskId, assigned);
    const parts = await standbys.promote(taskId);
    try {
      this.tasks.add(await openTask(assigned, tasksOnWorker, parts));
    } catch (error) {
      if (!mustPutAside(error)) throw error;
      logger.warn('the local state of a task is damaged; it is put aside and restored from the changelog', { taskId, error });
      await this.#putAside(taskId, error);
      this.tasks.add(await openTask(assigned, tasksOnWorker));
    }
    this.#unopened.delete(taskId);
  }

  async #putAside(taskId: string, cause: TaskCorruptedError): Promise<void> {
    const path = this.#options.directory.taskPath(taskId);
    this.#revivals.reviving(taskId, cause);
    try {
      await this.#options.engine.quarantine(path);
    } catch (error) {
      throw new FatalStreamsError(
        'STATE_DIRECTORY',
        `the damaged state in ${path} cannot be put aside; check the disk and the rights of stateDir`,
        { taskId, cause: error },
      );
    }
  }

  /** The task goes on as a standby, with the state that it has. */
  async #demote(task: StreamTask): Promise<void> {
    this.#options.input.close(task);
    this.tasks.remove(task);
    await this.#options.standbys.add(task.id, await task.detach());
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
