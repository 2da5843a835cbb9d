import { formatTaskId, type Clock, type Logger } from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import type { StateDirectory } from './state-directory.ts';

export interface StateCleanerOptions {
  readonly directory: Pick<StateDirectory, 'path' | 'tasks' | 'taskPath' | 'lastUsedMs'>;
  readonly engine: Pick<StateEngine, 'destroy' | 'sweep'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly logger: Logger;
  /** How long state is kept that is not in use; also the time between two looks. Unit ms. */
  readonly delayMs: number;
}

/**
 * Deletes the local state of tasks that have moved away, when nobody has used it for a while; until then the task may come back and go
 * on with what is there. By whole directories, one after another, beside the worker's loop; only in the directory of the process,
 * and only what the engine says nobody has open. First of all what a process that died while it deleted has left.
 *
 * Source: Kafka Streams `StateDirectory.cleanRemovedTasks`, which the cleaner thread calls every `state.cleanup.delay.ms`.
 */
export class StateCleaner {
  readonly #options: StateCleanerOptions;
  #nextMs: number;
  #cleaning: Promise<void> | undefined;
  #isInterrupted = false;
  #hasSwept: boolean;

  constructor(options: StateCleanerOptions) {
    this.#options = options;
    this.#hasSwept = options.engine.sweep === undefined;
    this.#nextMs = options.clock.monotonicMs() + options.delayMs;
  }

  /**
   * Begins to delete what is due, if it is time to look; what was left half deleted, when it is called first.
   *
   * @param isHeld whether this worker has a task, or is about to open it; asked just before each deletion
   * @returns resolves when that is done, and never rejects; `undefined` when it is not time
   */
  cleanIfDue(isHeld: (taskId: string) => boolean): Promise<void> | undefined {
    const { clock, delayMs } = this.#options;
    if (this.#cleaning !== undefined) return undefined;
    if (!this.#hasSwept) return this.#begin(this.#sweep());
    const now = clock.monotonicMs();
    if (now < this.#nextMs) return undefined;
    this.#nextMs = now + delayMs;
    this.#isInterrupted = false;
    return this.#begin(this.#clean(isHeld));
  }

  /** Deletes nothing more this time; resolves when the directory that is being deleted is gone. Before tasks are opened. */
  async interrupt(): Promise<void> {
    this.#isInterrupted = true;
    await this.#cleaning;
  }

  #begin(work: Promise<void>): Promise<void> {
    this.#cleaning = work.finally(() => {
      this.#cleaning = undefined;
    });
    return this.#cleaning;
  }

  async #sweep(): Promise<void> {
    const { directory, engine, logger } = this.#options;
    this.#hasSwept = true;
    try {
      await engine.sweep?.(directory.path);
    } catch (error) {
      logger.warn(
        'state that was being deleted when a process died could not be deleted; it takes up room until the next start',
        {
          path: directory.path,
          error,
        },
      );
    }
  }

  async #clean(isHeld: (taskId: string) => boolean): Promise<void> {
    const { directory, logger } = this.#options;
    try {
      for (const taskId of directory.tasks().map(formatTaskId)) {
        if (this.#isInterrupted) return;
        if (!isHeld(taskId)) await this.#deleteIfOld(taskId);
      }
    } catch (error) {
      logger.warn('could not look for the local state of tasks that have moved away; it is tried again later', { error });
    }
  }

  async #deleteIfOld(taskId: string): Promise<void> {
    const { directory, engine, clock, logger, delayMs } = this.#options;
    const path = directory.taskPath(taskId);
    try {
      const usedMs = directory.lastUsedMs(taskId);
      if (usedMs === undefined || clock.nowMs() - usedMs < delayMs) return;
      await engine.destroy(path);
      const unusedMs = Math.round(clock.nowMs() - usedMs);
      logger.info('deleted the local state of a task that has moved away', { taskId, path, unusedMs, delayMs });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'STATE_LOCKED') return;
      logger.warn('the local state of a task that has moved away could not be deleted; it is tried again later', {
        taskId,
        path,
        error,
      });
    }
  }
}
