import type { RestoreListener, RestoreProgress } from 'millrace';
import type { Clock } from '@millrace/core';

/** One store that is being restored. */
export interface RestoreView {
  readonly taskId: string;
  readonly store: string;
  readonly restoredRecords: number;
  /** Part of the changelog's offsets that has been read, 0 to 1. */
  readonly fraction: number;
  /** Mean since restoring began. */
  readonly recordsPerSecond: number;
}

/** Keeps the stores that are being restored, as the application reports them. */
export class RestoreBoard implements RestoreListener {
  readonly #clock: Clock;
  readonly #open = new Map<string, { readonly progress: RestoreProgress; readonly startedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onRestoreStart(progress: RestoreProgress): void {
    this.#open.set(keyOf(progress), { progress, startedMs: this.#clock.monotonicMs() });
  }

  onRestoreEnd(progress: RestoreProgress): void {
    this.#open.delete(keyOf(progress));
  }

  onRestoreSuspended(progress: RestoreProgress): void {
    this.#open.delete(keyOf(progress));
  }

  /** How long ago restoring of this store began, in ms; 0 when it is not known. */
  elapsedMs(progress: RestoreProgress): number {
    const entry = this.#open.get(keyOf(progress));
    return entry === undefined ? 0 : this.#clock.monotonicMs() - entry.startedMs;
  }

  /** In the order in which restoring began. */
  views(): RestoreView[] {
    return [...this.#open.values()].map(({ progress, startedMs }) => {
      const elapsedMs = this.#clock.monotonicMs() - startedMs;
      const length = progress.endOffset - progress.startOffset;
      return {
        taskId: progress.taskId,
        store: progress.store,
        restoredRecords: progress.restoredRecords,
        fraction: length <= 0 ? 1 : Math.min(1, (progress.currentOffset - progress.startOffset) / length),
        recordsPerSecond: elapsedMs <= 0 ? 0 : (progress.restoredRecords / elapsedMs) * 1000,
      };
    });
  }
}

function keyOf({ topic, partition }: RestoreProgress): string {
  return `${topic}-${partition}`;
}
