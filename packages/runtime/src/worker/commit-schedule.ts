import type { StreamTask } from '../task/stream-task.ts';

/**
 * Says when a commit is due: after the interval, when a processor asked for it, or when there are too many uncommitted rows.
 */
export class CommitSchedule {
  readonly #intervalMs: number;
  readonly #uncommittedMaxBytes: number;
  #lastMs: number;

  constructor(intervalMs: number, uncommittedMaxBytes: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#uncommittedMaxBytes = uncommittedMaxBytes;
    this.#lastMs = nowMs;
  }

  due(tasks: readonly StreamTask[], nowMs: number): boolean {
    const sinceMs = nowMs - this.#lastMs;
    // A wall clock that was put back must not put off the commit until it is where it was.
    if (sinceMs >= this.#intervalMs || sinceMs < 0) return true;
    for (const task of tasks) if (task.commitRequested) return true;
    return this.isFull(tasks);
  }

  /** True when no more uncommitted rows should be added. */
  isFull(tasks: readonly StreamTask[]): boolean {
    let dirtyBytes = 0;
    for (const task of tasks) dirtyBytes += task.dirtyBytes;
    return dirtyBytes > this.#uncommittedMaxBytes;
  }

  committed(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** Milliseconds until the interval is over. */
  remainingMs(nowMs: number): number {
    const sinceMs = nowMs - this.#lastMs;
    return sinceMs < 0 ? 0 : Math.max(0, this.#intervalMs - sinceMs);
  }
}
