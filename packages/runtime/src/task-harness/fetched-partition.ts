import type { Headers } from '@millrace/core';
import type { FetchedPartition } from '@millrace/client';
import {
  RecordBatchBuilder,
  RecordBatchHeader,
  patchBaseOffset,
  readBatchHeader,
  type Compression,
  decompress,
} from '@millrace/wire';

/** Bytes of a batch header. */
const HEADER_BYTES = 61;

/** A record for a test; text stands for its UTF-8 bytes. */
export interface FetchedRecord {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly timestamp?: number;
  readonly headers?: Headers;
}

export interface FetchedPartitionOptions {
  readonly topic?: string;
  readonly partition?: number;
  /** Offset of the first record in the batch. */
  readonly baseOffset?: number;
  /** Default: the first record. */
  readonly fetchOffset?: number;
  /** Default: behind the last record. */
  readonly nextOffset?: number;
  /** Default: `nextOffset`. */
  readonly endOffset?: number;
  readonly hasGaps?: boolean;
  /** How the broker stored the batch; the fetcher hands it over uncompressed. */
  readonly compression?: Compression;
}

/** What a fetcher hands over for one batch with these records; without records only the position moves. */
export function fetchedPartition(records: readonly FetchedRecord[], options: FetchedPartitionOptions = {}): FetchedPartition {
  const { topic = 'input', partition = 0, baseOffset = 0, compression = 'none' } = options;
  const nextOffset = options.nextOffset ?? baseOffset + records.length;
  const batches = records.length === 0 ? [] : [batchOf(records, baseOffset, compression)];
  const byteLength = batches.reduce((sum, { recordsStart, recordsEnd }) => sum + recordsEnd - recordsStart, 0);
  return {
    topic,
    partition,
    fetchOffset: options.fetchOffset ?? baseOffset,
    batches,
    nextOffset,
    hasGaps: options.hasGaps ?? false,
    highWatermark: options.endOffset ?? nextOffset,
    lastStableOffset: options.endOffset ?? nextOffset,
    logStartOffset: 0,
    byteLength,
  };
}

function batchOf(
  records: readonly FetchedRecord[],
  baseOffset: number,
  compression: Compression,
): FetchedPartition['batches'][number] {
  const builder = new RecordBatchBuilder();
  for (const { key, value, timestamp = 0, headers = [] } of records) {
    builder.appendRecord({ key: utf8(key), value: utf8(value), timestamp, headers });
  }
  const bytes = Buffer.from(builder.finish({ compression }));
  patchBaseOffset(bytes, 0, baseOffset, 0);
  const header = new RecordBatchHeader();
  readBatchHeader(bytes, 0, header);
  if (compression === 'none') return { buffer: bytes, recordsStart: HEADER_BYTES, recordsEnd: bytes.length, header };
  const buffer = decompress(header.compressionId, bytes.subarray(HEADER_BYTES), 1 << 20);
  return { buffer, recordsStart: 0, recordsEnd: buffer.length, header };
}

function utf8(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}
