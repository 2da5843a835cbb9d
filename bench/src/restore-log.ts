import type { RestoreListener, RestoreProgress } from 'millrace';

/** Prints one JSON object as a line. */
export type Say = (line: Readonly<{ [name: string]: unknown }>) => void;

/**
 * Says how restoring goes, in the words of the kit's reference application (`restoreStart`, `restoreEnd`), which
 * `run.mjs --restore` reads; and once everything is restored, how many records a second that was over all partitions.
 *
 * @param elapsedMs time since the application was started
 */
export function restoreLog(say: Say, elapsedMs: () => number): RestoreListener {
  const open = new Set<string>();
  let startedMs = 0;
  let records = 0;
  let total = 0;
  const ended = (progress: RestoreProgress): void => {
    open.delete(partitionOf(progress));
    if (open.size > 0) return;
    const seconds = (elapsedMs() - startedMs) / 1000;
    say({ restored: records, seconds: rounded(seconds), recordsPerSecond: seconds > 0 ? Math.round(records / seconds) : 0 });
    records = 0;
  };
  return {
    onRestoreStart(progress) {
      if (open.size === 0) startedMs = elapsedMs();
      open.add(partitionOf(progress));
      const { startOffset: from, endOffset: to } = progress;
      say({ restoreStart: partitionOf(progress), from, to, afterMs: Math.round(elapsedMs()) });
    },
    onRestoreEnd(progress) {
      records += progress.restoredRecords;
      total += progress.restoredRecords;
      say({ restoreEnd: partitionOf(progress), records: progress.restoredRecords, total, afterMs: Math.round(elapsedMs()) });
      ended(progress);
    },
    onRestoreSuspended(progress) {
      records += progress.restoredRecords;
      ended(progress);
    },
  };
}

function partitionOf({ topic, partition }: RestoreProgress): string {
  return `${topic}-${partition}`;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
