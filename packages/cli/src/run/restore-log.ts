import type { RestoreListener, RestoreProgress } from 'millrace';
import type { Logger } from '@millrace/core';
import type { RestoreBoard } from '../view/restore-board.ts';

/** Between two lines about the same store. */
const LOG_INTERVAL_MS = 5000;

/** Passes what is restored on to the board, and says so in the log. */
export function loggedRestore(board: RestoreBoard, logger: Logger): RestoreListener {
  const loggedMs = new WeakMap<RestoreProgress, number>();
  return {
    onRestoreStart(progress) {
      board.onRestoreStart(progress);
      logger.info('restoring', { ...whereOf(progress), from: progress.startOffset, to: progress.endOffset });
    },
    onBatchRestored(progress) {
      const { elapsedMs } = progress;
      if (elapsedMs - (loggedMs.get(progress) ?? 0) < LOG_INTERVAL_MS) return;
      loggedMs.set(progress, elapsedMs);
      const { currentOffset, endOffset, remainingMs } = progress;
      const left = remainingMs === undefined ? {} : { remainingMs: Math.round(remainingMs) };
      logger.info('restoring goes on', {
        ...whereOf(progress),
        position: currentOffset,
        to: endOffset,
        ...figuresOf(progress),
        ...left,
      });
    },
    onRestoreEnd(progress) {
      board.onRestoreEnd(progress);
      logger.info('restored', { ...whereOf(progress), ...figuresOf(progress) });
    },
    onRestoreSuspended(progress) {
      board.onRestoreSuspended(progress);
      logger.info('restoring suspended', { ...whereOf(progress), ...figuresOf(progress) });
    },
  };
}

function whereOf({ taskId, store, topic, partition }: RestoreProgress): { readonly [name: string]: unknown } {
  return { taskId, store, topic, partition };
}

function figuresOf(progress: RestoreProgress): { readonly [name: string]: unknown } {
  const { restoredRecords: records, restoredBytes: bytes, elapsedMs, recordsPerSecond } = progress;
  return { records, bytes, elapsedMs: Math.round(elapsedMs), recordsPerSecond: Math.round(recordsPerSecond) };
}
