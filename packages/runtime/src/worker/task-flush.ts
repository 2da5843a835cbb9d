import { RetriableError, TaskMigratedError, type Clock } from '@millrace/core';
import type { StreamTask } from '../task/stream-task.ts';

/**
 * Whether the worker keeps its tasks: `leaving` when it has to give them up in good order, `lost` when they are gone. `awaited`:
 * it keeps them, but the group waits for it to join, so that a commit should wait for nothing.
 */
export type Tenure = 'keeps' | 'awaited' | 'leaving' | 'lost';

export interface TaskFlushOptions {
  readonly clock: Clock;
  /** How often the tenure is looked at while a task waits. */
  readonly pollMs: number;
  /** How long asynchronous operators may go on once the worker is leaving. */
  readonly asyncDrainMs: number;
  readonly tenure: () => Tenure;
}

/**
 * The first step of a commit: everything that the records taken so far have set off is forwarded.
 *
 * A worker that keeps its tasks waits as long as the calls of its asynchronous operators take; their own limits bound that. One
 * that is leaving makes others wait: it gives the calls `asyncDrainMs`, then goes back to the last commit, which aborts them.
 */
export class TaskFlush {
  readonly #options: TaskFlushOptions;
  #leavingSinceMs: number | undefined;

  constructor(options: TaskFlushOptions) {
    this.#options = options;
  }

  /**
   * @returns false when it was broken off because the group waits; nothing is lost, the next commit begins anew
   * @throws RetriableError `ASYNC_WORK_CUT_OFF` when the worker is leaving and a call has not ended in time
   * @throws TaskMigratedError `MEMBERSHIP_LOST` when the tasks are lost while it waits
   */
  async flush(tasks: readonly StreamTask[]): Promise<boolean> {
    this.#leavingSinceMs = undefined;
    for (const task of tasks) {
      do {
        task.flushCaches();
        const { settling } = task;
        if (settling !== undefined && !(await this.#wait(task, settling))) return false;
      } while (task.hasUnflushed);
    }
    return true;
  }

  async #wait(task: StreamTask, settling: Promise<void>): Promise<boolean> {
    // A promise of a processor is seen through: it may write to stores until it has ended.
    if (task.pending !== undefined) await settling;
    else if (this.#options.tenure() === 'awaited') return false;
    else {
      this.#checkTenure(task);
      await this.#settledOrPolled(settling);
    }
    return true;
  }

  #checkTenure(task: StreamTask): void {
    const { clock, tenure, asyncDrainMs } = this.#options;
    const now = tenure();
    if (now === 'keeps') return;
    if (now === 'lost') throw membershipLost();
    const nowMs = clock.monotonicMs();
    this.#leavingSinceMs ??= nowMs;
    if (nowMs - this.#leavingSinceMs < asyncDrainMs) return;
    const { held } = task.asyncWork;
    throw new RetriableError(
      'ASYNC_WORK_CUT_OFF',
      `${held} records of asynchronous operators were not finished ${asyncDrainMs} ms after the worker had to give up its tasks; they are processed again by the next owner. If this is frequent, give them more time (asyncDrainMs) or smaller limits (timeoutMs, retry)`,
      { taskId: task.taskId },
    );
  }

  /** Leaves no timer behind: a commit may wait for many results, one after another. */
  #settledOrPolled(settling: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = this.#options.clock.setTimer(this.#options.pollMs, resolve);
      void settling.then(() => {
        cancelTimer();
        resolve();
      });
    });
  }
}

/** The group went on without this worker. */
export function membershipLost(): TaskMigratedError {
  return new TaskMigratedError('MEMBERSHIP_LOST', 'the group membership was lost before the commit; the tasks are given up');
}
