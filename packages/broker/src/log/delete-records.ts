import { ErrorCode } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import type { PartitionLog } from './partition-log.ts';

/** "All that is there": up to the high watermark. */
const UP_TO_HIGH_WATERMARK = -1;

/**
 * Moves the log start to the offset, also into the middle of a batch.
 *
 * @returns the log start offset afterwards
 * @throws Refusal POLICY_VIOLATION for a topic that is only compacted, OFFSET_OUT_OF_RANGE above the high watermark
 */
export function deleteRecordsBelow(log: PartitionLog, offset: number): number {
  if (!log.settings.delete) {
    throw new Refusal(ErrorCode.POLICY_VIOLATION, 'records can only be deleted where cleanup.policy contains delete');
  }
  const target = offset === UP_TO_HIGH_WATERMARK ? log.highWatermark : offset;
  if (target < 0 || target > log.highWatermark) throw new Refusal(ErrorCode.OFFSET_OUT_OF_RANGE);
  log.advanceLogStart(target);
  return log.logStartOffset;
}
