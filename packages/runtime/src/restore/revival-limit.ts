import { FatalStreamsError, TaskCorruptedError, type Clock } from '@millrace/core';

/** State that is damaged again within this time of running has not been damaged by chance. */
const SOON_MS = 60_000;

/** The disk has no room: the state on it is good, only behind. */
const DISK_FULL = 'STATE_DISK_FULL';

/** True when the files of a task have to be put aside: they are damaged, or do not fit the changelog. */
export function mustPutAside(error: unknown): error is TaskCorruptedError {
  return error instanceof TaskCorruptedError && !isDiskFull(error);
}

/** True when writing local state failed for want of room. */
export function isDiskFull(error: unknown): error is TaskCorruptedError {
  return error instanceof TaskCorruptedError && error.code === DISK_FULL;
}

/**
 * Keeps damaged state from being restored for ever: a disk that damages what is written to it, or a row that no store can read.
 */
export class RevivalLimit {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** When each task that was restored after damage began to run; `undefined`: not yet. */
  readonly #revived = new Map<string, number | undefined>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** A task takes records. */
  running(taskId: string): void {
    if (this.#revived.has(taskId)) this.#revived.set(taskId, this.#clock.monotonicMs());
  }

  /**
   * The state of a task is about to be put aside and restored.
   *
   * @throws FatalStreamsError `STATE_KEEPS_FAILING` when that was done only a short while ago
   */
  reviving(taskId: string, cause: TaskCorruptedError): void {
    // What the changelog has lost is no fault of the disk, and does not come back by itself.
    if (!cause.code.startsWith('STATE_')) return;
    const sinceMs = this.#revived.get(taskId);
    const isSoon = this.#revived.has(taskId) && (sinceMs === undefined || this.#clock.monotonicMs() - sinceMs < SOON_MS);
    if (!isSoon) {
      this.#revived.set(taskId, undefined);
      return;
    }
    this.#revived.delete(taskId);
    throw new FatalStreamsError(
      'STATE_KEEPS_FAILING',
      `the local state of the task was restored from its changelog and has failed again within ${SOON_MS / 1000} s; check the disk, or give the worker another stateDir`,
      { taskId, cause },
    );
  }
}
