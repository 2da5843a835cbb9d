import { type AbortedTransaction, ErrorCode, type IsolationLevel } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';

const NOTHING = Buffer.alloc(0);

/** What to read. */
export interface LogReadRequest {
  readonly offset: number;
  readonly maxBytes: number;
  readonly isolation: IsolationLevel;
  /** Read the first batch whole even if it is larger than `maxBytes`, so that a reader always gets on. */
  readonly atLeastOneBatch: boolean;
}

export interface LogRead {
  /** Record batches; the last one may be cut off. A view of the log. */
  readonly records: Buffer;
  /** Only for read_committed. In the order of the abort markers; some of them may lie behind the records. */
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
}

/** Where a read begins. */
interface Place {
  readonly segment: Segment;
  readonly position: number;
  readonly firstBatchBytes: number;
}

/**
 * Reads batches from the one that contains the offset on, out of a single segment. So a read may end early, and even return
 * nothing but an empty batch that compaction has left: Kafka does, and clients must get over it.
 *
 * Source: Kafka `LocalLog.read`, `LogSegment.read`.
 *
 * @throws Refusal OFFSET_OUT_OF_RANGE below the log start and above the log end
 */
export function readLog(log: PartitionLog, request: LogReadRequest): LogRead {
  const { offset, isolation, maxBytes } = request;
  assertInRange(log, offset);
  const end = log.readableEnd(isolation);
  const place = placeOf(log, offset, end);
  if (place === undefined) return nothing(isolation);
  const { segment, position, firstBatchBytes } = place;
  const available = segment.positionAtOrAfter(end) - position;
  const length = Math.min(available, request.atLeastOneBatch ? Math.max(maxBytes, firstBatchBytes) : maxBytes);
  // A part of the first batch is of no use to anybody.
  if (length < firstBatchBytes) return nothing(isolation);
  const records = segment.bytes.read(position, length);
  if (isolation === 'read_uncommitted') return { records, abortedTransactions: undefined };
  const upperBound = segment.boundAtOrAfterPosition(position + length) ?? endOf(segment, log);
  return { records, abortedTransactions: log.aborted.overlapping(offset, upperBound) };
}

function endOf(segment: Segment, log: PartitionLog): number {
  const { all } = log.segments;
  return all[all.indexOf(segment) + 1]?.baseOffset ?? log.highWatermark;
}

/**
 * How many bytes a read from there could return now: what a waiting fetch compares with its minimum. Infinite when the
 * offset lies in an older segment or outside of the log, because then waiting makes no sense.
 */
export function readableBytes(log: PartitionLog, offset: number, isolation: IsolationLevel): number {
  const end = log.readableEnd(isolation);
  if (log.isDeleted || offset < log.logStartOffset || offset > log.highWatermark) return Number.POSITIVE_INFINITY;
  const place = placeOf(log, offset, end);
  if (place === undefined) return 0;
  if (place.segment !== log.segments.active) return Number.POSITIVE_INFINITY;
  return place.segment.positionAtOrAfter(end) - place.position;
}

function assertInRange(log: PartitionLog, offset: number): void {
  if (log.isDeleted) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  if (offset >= log.logStartOffset && offset <= log.highWatermark) return;
  throw new Refusal(
    ErrorCode.OFFSET_OUT_OF_RANGE,
    `offset ${offset} is not within ${log.logStartOffset} and ${log.highWatermark}`,
  );
}

function placeOf(log: PartitionLog, offset: number, end: number): Place | undefined {
  if (offset >= end) return undefined;
  const segments = log.segments.all;
  // Compaction may have removed everything behind the offset in its segment: then the next one goes on.
  for (let index = log.segments.indexOf(offset); index < segments.length; index++) {
    const segment = segments[index] as Segment;
    const batch = segment.batches[segment.indexOf(offset)];
    if (batch === undefined) continue;
    return batch.baseOffset < end ? { segment, position: batch.position, firstBatchBytes: batch.sizeInBytes } : undefined;
  }
  return undefined;
}

function nothing(isolation: IsolationLevel): LogRead {
  return { records: NOTHING, abortedTransactions: isolation === 'read_committed' ? [] : undefined };
}
