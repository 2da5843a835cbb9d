import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';

/**
 * Deletes the segments that are too old by their largest timestamp, and those that make the log too large. The active segment
 * is rolled first when it has expired, so that old event times vanish here as they do in Kafka.
 *
 * Source: Kafka `UnifiedLog.deleteOldSegments`.
 *
 * @returns true when something was deleted
 */
export function applyRetention(log: PartitionLog, nowMs: number): boolean {
  if (!log.settings.delete) return false;
  const before = log.logStartOffset;
  const boundary = Math.max(expiredBelow(log, nowMs), tooMuchBelow(log));
  log.advanceLogStart(Math.min(boundary, log.highWatermark));
  return log.logStartOffset > before;
}

/** Base offset of the first segment that is young enough. */
function expiredBelow(log: PartitionLog, nowMs: number): number {
  const { retentionMs } = log.settings;
  if (retentionMs < 0) return 0;
  let boundary = 0;
  for (const [index, segment] of log.segments.all.entries()) {
    if (segment.isEmpty || nowMs - segment.maxTimestamp <= retentionMs) return boundary;
    boundary = endOf(log, segment, index);
  }
  return boundary;
}

/** Base offset of the first segment that may stay, because what is deleted before it is at most the excess. */
function tooMuchBelow(log: PartitionLog): number {
  const { retentionBytes } = log.settings;
  if (retentionBytes < 0) return 0;
  let excess = log.segments.sizeInBytes - retentionBytes;
  let boundary = 0;
  for (const [index, segment] of log.segments.all.entries()) {
    if (segment === log.segments.active || excess - segment.sizeInBytes < 0) return boundary;
    excess -= segment.sizeInBytes;
    boundary = endOf(log, segment, index);
  }
  return boundary;
}

function endOf(log: PartitionLog, segment: Segment, index: number): number {
  return segment === log.segments.active ? log.highWatermark : (log.segments.all[index + 1] as Segment).baseOffset;
}
