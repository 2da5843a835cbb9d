import type { RestoreListener, RestoreProgress } from 'millrace';
import type { Logger } from '@millrace/core';
import type { RestoreBoard } from '../view/restore-board.ts';

/** Passes what is restored on to the board, and says so in the log. */
export function loggedRestore(board: RestoreBoard, logger: Logger): RestoreListener {
  return {
    onRestoreStart(progress) {
      board.onRestoreStart(progress);
      logger.info('restoring', { ...whereOf(progress), from: progress.startOffset, to: progress.endOffset });
    },
    onRestoreEnd(progress) {
      const elapsedMs = Math.round(board.elapsedMs(progress));
      board.onRestoreEnd(progress);
      logger.info('restored', { ...whereOf(progress), records: progress.restoredRecords, elapsedMs });
    },
    onRestoreSuspended(progress) {
      board.onRestoreSuspended(progress);
      logger.info('restoring suspended', { ...whereOf(progress), records: progress.restoredRecords });
    },
  };
}

function whereOf({ taskId, store, topic, partition }: RestoreProgress): { readonly [name: string]: unknown } {
  return { taskId, store, topic, partition };
}
