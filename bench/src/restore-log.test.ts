import { expect, it } from 'vitest';
import { restoreLog } from './restore-log.ts';

it('says what each partition restores, and the rate over all of them', () => {
  const said: unknown[] = [];
  let nowMs = 100;
  const log = restoreLog(
    (line) => said.push(line),
    () => nowMs,
  );
  const progress = (partition: number, restoredRecords: number) => {
    return {
      taskId: `0_${partition}`,
      store: 's',
      topic: 't',
      partition,
      startOffset: 0,
      currentOffset: 0,
      endOffset: 9,
      restoredRecords,
      restoredBytes: 0,
      elapsedMs: 0,
      recordsPerSecond: 0,
      remainingMs: undefined,
    };
  };
  log.onRestoreStart?.(progress(0, 0));
  log.onRestoreStart?.(progress(1, 0));
  nowMs = 600;
  log.onRestoreEnd?.(progress(0, 300));
  nowMs = 1100;
  log.onRestoreEnd?.(progress(1, 700));
  expect(said).toEqual([
    { restoreStart: 't-0', from: 0, to: 9, afterMs: 100 },
    { restoreStart: 't-1', from: 0, to: 9, afterMs: 100 },
    { restoreEnd: 't-0', records: 300, total: 300, afterMs: 600 },
    { restoreEnd: 't-1', records: 700, total: 1000, afterMs: 1100 },
    { restored: 1000, seconds: 1, recordsPerSecond: 1000 },
  ]);
});
