import type { Headers } from '@millrace/core';
import type { FetchedBatch, FetchedPartition } from '@millrace/client';
import { RecordBatchHeader, type RecordCursor } from '@millrace/wire';
import { recordBodySize, recordSize, writeRecord } from './record-encoder.ts';

/** Bytes of a batch header, which these batches do not have: they are never sent. */
const HEADER_BYTES = 61;
const CHUNK_BYTES_MIN = 4 * 1024;
const CHUNK_BYTES_MAX = 256 * 1024;

/**
 * The records of a topic with one partition, in memory, in the format in which Kafka stores them, so that the task reads them
 * as it reads what a broker sent.
 *
 * Each record is a batch of its own. Records of a transaction become visible when it is committed; those of an aborted one
 * keep their offsets and are never seen. A record costs its bytes and three numbers.
 */
export class TopicLog {
  readonly topic: string;
  /** Offset after the last record, visible or not. */
  endOffset = 0;
  /** Offset after the last record that may be read: Kafka's last stable offset. */
  visibleEnd = 0;
  #chunk = Buffer.alloc(0);
  #chunkEnd = 0;
  /** By offset: where the record stands, and its timestamp. */
  readonly #buffers: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #timestamps: number[] = [];
  readonly #aborted = new Set<number>();
  readonly #header = new RecordBatchHeader();

  constructor(topic: string) {
    this.topic = topic;
  }

  /** Appends a record whose key and value are ranges of other buffers; negative starts are null. Returns its offset. */
  append(
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): number {
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const bodySize = recordBodySize(keyLength, valueLength, headers);
    const size = recordSize(bodySize);
    if (this.#chunkEnd + size > this.#chunk.length) this.#startChunk(size);
    writeRecord(this.#chunk, this.#chunkEnd, bodySize, key, keyStart, keyLength, value, valueStart, valueLength, headers);
    this.#buffers.push(this.#chunk);
    this.#starts.push(this.#chunkEnd);
    this.#chunkEnd += size;
    this.#ends.push(this.#chunkEnd);
    this.#timestamps.push(timestamp);
    return this.endOffset++;
  }

  /** Chunks are never moved, because fetched batches are views of them. */
  #startChunk(size: number): void {
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(size, CHUNK_BYTES_MIN, Math.min(this.#chunk.length * 2, CHUNK_BYTES_MAX)));
    this.#chunkEnd = 0;
  }

  /** Everything appended so far may be read. */
  commit(): void {
    this.visibleEnd = this.endOffset;
  }

  /** The record is never to be seen. */
  abort(offset: number): void {
    this.#aborted.add(offset);
  }

  isAborted(offset: number): boolean {
    return this.#aborted.size > 0 && this.#aborted.has(offset);
  }

  /** Puts the cursor on the record of that offset. */
  seek(offset: number, cursor: RecordCursor): void {
    cursor.open(this.#buffers[offset] as Buffer, this.#describe(offset, this.#header));
    cursor.next();
  }

  /** The visible records of [from, to) as a fetch would bring them. */
  fetch(from: number, to: number): FetchedPartition {
    const batches: FetchedBatch[] = [];
    let byteLength = 0;
    for (let offset = from; offset < to; offset++) {
      if (this.isAborted(offset)) continue;
      const batch = this.#batch(offset);
      batches.push(batch);
      byteLength += batch.recordsEnd - batch.recordsStart;
    }
    return {
      topic: this.topic,
      partition: 0,
      fetchOffset: from,
      batches,
      nextOffset: to,
      highWatermark: this.endOffset,
      lastStableOffset: this.visibleEnd,
      logStartOffset: 0,
      byteLength,
    };
  }

  #batch(offset: number): FetchedBatch {
    return {
      buffer: this.#buffers[offset] as Buffer,
      recordsStart: this.#starts[offset] as number,
      recordsEnd: this.#ends[offset] as number,
      header: this.#describe(offset, new RecordBatchHeader()),
    };
  }

  #describe(offset: number, header: RecordBatchHeader): RecordBatchHeader {
    const start = this.#starts[offset] as number;
    const timestamp = this.#timestamps[offset] as number;
    header.position = start - HEADER_BYTES;
    header.sizeInBytes = (this.#ends[offset] as number) - header.position;
    header.baseOffset = offset;
    header.baseTimestamp = timestamp;
    header.maxTimestamp = timestamp;
    header.recordCount = 1;
    return header;
  }
}
