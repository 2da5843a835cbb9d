import { ByteBuffer, readInt64 } from '@millrace/core';
import type { StateDatabase } from '../contracts/engine.ts';
import type { ValueAndTimestamp } from '../contracts/stores.ts';
import { BUCKET_PREFIX_BYTES, type Retention } from '../layout/retention.ts';
import { mergedScan, type ScannedRow } from '../layout/merged-scan.ts';
import type { RowTable } from '../table/row-table.ts';

/** Bytes after the key in a window key: start and sequence number. */
export const WINDOW_SUFFIX_BYTES = 12;

/** Which rows of a window store are wanted; all bounds are inclusive, absent key bounds are open. */
export interface WindowScan {
  readonly keyFrom: Buffer | undefined;
  readonly keyTo: Buffer | undefined;
  readonly from: number;
  readonly to: number;
  readonly reverse: boolean;
}

/**
 * Readable rows, segment by segment, inside a segment by key bytes and then by window start: the order of Kafka Streams'
 * persistent stores.
 */
export async function* scanWindows<K, V>(
  table: RowTable<K, V>,
  database: StateDatabase,
  retention: Retention,
  scan: WindowScan,
): AsyncGenerator<ScannedRow<ValueAndTimestamp<V>>, void> {
  const from = Math.max(scan.from, retention.oldestReadable, 0);
  const to = Math.min(scan.to, retention.observed);
  const segments: number[] = [];
  for (let segment = retention.bucketOf(from); from <= to && segment <= retention.bucketOf(to); segment++) segments.push(segment);
  if (scan.reverse) segments.reverse();
  const accepts = (key: Buffer) => isInRange(key, scan, from, to);
  for (const segment of segments) {
    const range = { gte: bound(retention, segment, scan.keyFrom), lt: upperBound(retention, segment, scan, to) };
    yield* mergedScan(table, { database, range, reverse: scan.reverse, accepts });
  }
}

/** Scans of ranges of keys go to the end of the segment: keys of other lengths stand between those of the range. */
function upperBound(retention: Retention, segment: number, { keyFrom, keyTo }: WindowScan, to: number): Buffer {
  if (keyTo === undefined || keyFrom === undefined || !keyFrom.equals(keyTo)) return bound(retention, segment + 1, undefined);
  const target = new ByteBuffer(64);
  target.writeBytes(bound(retention, segment, keyTo));
  target.writeInt64(to + 1);
  return target.view();
}

function bound(retention: Retention, segment: number, key: Buffer | undefined): Buffer {
  const target = new ByteBuffer(64);
  retention.writeBucket(target, segment);
  if (key !== undefined) target.writeBytes(key);
  return target.view();
}

function isInRange(row: Buffer, { keyFrom, keyTo }: WindowScan, from: number, to: number): boolean {
  const keyEnd = row.length - WINDOW_SUFFIX_BYTES;
  const start = readInt64(row, keyEnd);
  if (start < from || start > to) return false;
  if (keyFrom !== undefined && row.compare(keyFrom, 0, keyFrom.length, BUCKET_PREFIX_BYTES, keyEnd) < 0) return false;
  return keyTo === undefined || row.compare(keyTo, 0, keyTo.length, BUCKET_PREFIX_BYTES, keyEnd) <= 0;
}
