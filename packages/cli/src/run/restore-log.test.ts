import { describe, expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import { RestoreBoard } from '../view/restore-board.ts';
import { loggedRestore } from './restore-log.ts';

const progress = {
  taskId: '0_1',
  store: 'totals',
  topic: 'a-totals-changelog',
  partition: 1,
  startOffset: 0,
  currentOffset: 500,
  endOffset: 2000,
  restoredRecords: 400,
  restoredBytes: 40_000,
  elapsedMs: 1000,
  recordsPerSecond: 400,
  remainingMs: 3000.4 as number | undefined,
};

describe('loggedRestore', () => {
  it('logs records, bytes, rate and the time that is left, of each store every five seconds', () => {
    const lines: (readonly [string, unknown])[] = [];
    const logger = { ...silentLogger, info: (message: string, fields: unknown) => void lines.push([message, fields]) };
    const listener = loggedRestore(new RestoreBoard(), logger as never);
    const moving = { ...progress };
    for (const elapsedMs of [1000, 5000, 9000, 10_100]) {
      moving.elapsedMs = elapsedMs;
      listener.onBatchRestored?.(moving, 100);
    }
    expect(lines).toHaveLength(2);
    expect(lines[0]).toEqual([
      'restoring goes on',
      {
        taskId: '0_1',
        store: 'totals',
        topic: 'a-totals-changelog',
        partition: 1,
        position: 500,
        to: 2000,
        records: 400,
        bytes: 40_000,
        elapsedMs: 5000,
        recordsPerSecond: 400,
        remainingMs: 3000,
      },
    ]);
  });
});
