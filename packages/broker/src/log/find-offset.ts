import { readBatchHeader, RecordBatchHeader, RecordCursor } from '@millrace/wire';
import type { PartitionLog } from './partition-log.ts';
import type { Segment, StoredBatch } from './segment.ts';

/** A record by offset and timestamp; −1 and −1 when there is none. */
export interface FoundOffset {
  readonly offset: number;
  readonly timestamp: number;
}

const NONE: FoundOffset = { offset: -1, timestamp: -1 };

/** The first record at the time or later: not the first batch, and not before the log start. */
export function findOffsetAt(log: PartitionLog, timestamp: number): FoundOffset {
  return firstMatch(log, (maxTimestamp) => maxTimestamp >= timestamp, timestamp);
}

/** The record with the largest timestamp; the first of them when there are several. */
export function findMaxTimestamp(log: PartitionLog): FoundOffset {
  const max = log.segments.all.reduce((largest, { maxTimestamp }) => Math.max(largest, maxTimestamp), -1);
  return max < 0 ? NONE : firstMatch(log, (maxTimestamp) => maxTimestamp === max, max);
}

function firstMatch(log: PartitionLog, matches: (maxTimestamp: number) => boolean, timestamp: number): FoundOffset {
  for (const segment of log.segments.all) {
    if (segment.maxTimestamp < timestamp) continue;
    for (const batch of segment.batches) {
      if (batch.lastOffset < log.logStartOffset || !matches(batch.maxTimestamp)) continue;
      const found = recordIn(segment, batch, timestamp, log.logStartOffset);
      if (found !== undefined) return found;
    }
  }
  return NONE;
}

function recordIn(segment: Segment, batch: StoredBatch, timestamp: number, fromOffset: number): FoundOffset | undefined {
  const bytes = segment.read(batch);
  const header = new RecordBatchHeader();
  readBatchHeader(bytes, 0, header);
  const cursor = new RecordCursor();
  cursor.open(bytes, header, fromOffset);
  while (cursor.next()) if (cursor.timestamp >= timestamp) return { offset: cursor.offset, timestamp: cursor.timestamp };
  return undefined;
}
