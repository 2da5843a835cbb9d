import type { RestoreListener, RestoreProgress } from 'millrace';

/** One store that is being restored. */
export interface RestoreView {
  readonly taskId: string;
  readonly store: string;
  readonly restoredRecords: number;
  readonly restoredBytes: number;
  /** Part of the changelog's offsets that has been read, 0 to 1. */
  readonly fraction: number;
  /** Mean since restoring began. */
  readonly recordsPerSecond: number;
  /** Until it is restored; `undefined` as long as nobody can tell. */
  readonly remainingMs: number | undefined;
}

/** Keeps the stores that are being restored, as the application reports them. */
export class RestoreBoard implements RestoreListener {
  readonly #open = new Map<string, RestoreProgress>();

  onRestoreStart(progress: RestoreProgress): void {
    this.#open.set(keyOf(progress), progress);
  }

  onRestoreEnd(progress: RestoreProgress): void {
    this.#open.delete(keyOf(progress));
  }

  onRestoreSuspended(progress: RestoreProgress): void {
    this.#open.delete(keyOf(progress));
  }

  /** In the order in which restoring began. */
  views(): RestoreView[] {
    return [...this.#open.values()].map((progress) => {
      const { taskId, store, restoredRecords, restoredBytes, recordsPerSecond, remainingMs } = progress;
      const length = progress.endOffset - progress.startOffset;
      const fraction = length <= 0 ? 1 : Math.min(1, (progress.currentOffset - progress.startOffset) / length);
      return { taskId, store, restoredRecords, restoredBytes, fraction, recordsPerSecond, remainingMs };
    });
  }
}

function keyOf({ topic, partition }: RestoreProgress): string {
  return `${topic}-${partition}`;
}
