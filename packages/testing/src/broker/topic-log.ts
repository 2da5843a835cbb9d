import type { Headers } from '@millrace/core';
import type { FetchedBatch, FetchedPartition } from '@millrace/client';
import { RecordBatchHeader, type RecordCursor } from '@millrace/wire';
import { recordBodySize, recordSize, writeRecord } from './record-encoder.ts';

/** Bytes of a batch header, which these batches do not have: they are never sent. */
const HEADER_BYTES = 61;
const CHUNK_BYTES_MIN = 4 * 1024;
const CHUNK_BYTES_MAX = 256 * 1024;
/** Timestamps further apart stand in different batches: their difference is written as a 32-bit number. */
const TIMESTAMP_DELTA_MAX = 2 ** 30;
const NO_RECORDS = new Int32Array(0);

/** Records one behind the other in one buffer: what a fetch hands out as one batch, or as part of one. */
interface Chunk {
  readonly buffer: Buffer;
  readonly baseOffset: number;
  readonly baseTimestamp: number;
  /** Where the last record ends. */
  end: number;
}

/**
 * The records of a topic with one partition, in memory, in the format in which Kafka stores them, so that the task reads them
 * as it reads what a broker sent.
 *
 * Records of a transaction become visible when it is committed; those of an aborted one keep their offsets and are never
 * seen. A record costs its bytes and one number, a fetch one batch per chunk: no object per record.
 */
export class TopicLog {
  readonly topic: string;
  /** Offset after the last record, visible or not. */
  endOffset = 0;
  /** Offset after the last record that may be read: Kafka's last stable offset. */
  visibleEnd = 0;
  readonly #chunks: Chunk[] = [];
  /** By offset: where in its chunk the record starts. */
  #starts = NO_RECORDS;
  /** Where runs of uncommitted records begin and end, in turn: records of the outside world may lie between them. */
  readonly #uncommitted: number[] = [];
  readonly #aborted = new Set<number>();
  readonly #header = new RecordBatchHeader();

  constructor(topic: string) {
    this.topic = topic;
  }

  /** True while it has records of an open transaction. */
  get isOpen(): boolean {
    return this.#uncommitted.length > 0;
  }

  /** As {@link append}; the record is part of an open transaction. */
  appendUncommitted(
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void {
    const offset = this.append(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
    const runs = this.#uncommitted;
    const last = runs.length - 1;
    if (last > 0 && runs[last] === offset) runs[last] = offset + 1;
    else runs.push(offset, offset + 1);
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
    const offset = this.endOffset;
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    let chunk = this.#chunkFor(timestamp);
    let bodySize = recordBodySize(timestamp - chunk.baseTimestamp, offset - chunk.baseOffset, keyLength, valueLength, headers);
    if (chunk.end + recordSize(bodySize) > chunk.buffer.length) {
      bodySize = recordBodySize(0, 0, keyLength, valueLength, headers);
      chunk = this.#startChunk(timestamp, recordSize(bodySize));
    }
    if (offset === this.#starts.length) this.#growStarts();
    this.#starts[offset] = chunk.end;
    chunk.end = writeRecord(
      chunk.buffer,
      chunk.end,
      bodySize,
      timestamp - chunk.baseTimestamp,
      offset - chunk.baseOffset,
      key,
      keyStart,
      keyLength,
      value,
      valueStart,
      valueLength,
      headers,
    );
    this.endOffset = offset + 1;
    return offset;
  }

  /** The open chunk, or a new one when the timestamp is too far away from those in it. */
  #chunkFor(timestamp: number): Chunk {
    const last = this.#chunks[this.#chunks.length - 1];
    if (last === undefined || Math.abs(timestamp - last.baseTimestamp) > TIMESTAMP_DELTA_MAX) {
      return this.#startChunk(timestamp, 0);
    }
    return last;
  }

  /** Chunks are never moved, because fetched batches are views of them. */
  #startChunk(timestamp: number, recordBytes: number): Chunk {
    const before = this.#chunks[this.#chunks.length - 1]?.buffer.length ?? 0;
    const bytes = Math.max(recordBytes, CHUNK_BYTES_MIN, Math.min(before * 2, CHUNK_BYTES_MAX));
    const buffer = Buffer.allocUnsafeSlow(bytes);
    const chunk: Chunk = { buffer, baseOffset: this.endOffset, baseTimestamp: timestamp, end: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  #growStarts(): void {
    const larger = new Int32Array(Math.max(64, this.#starts.length * 2));
    larger.set(this.#starts);
    this.#starts = larger;
  }

  /** The open transaction, if there is one, has been committed: everything appended so far may be read. */
  commit(): void {
    this.#uncommitted.length = 0;
    this.visibleEnd = this.endOffset;
  }

  /** The open transaction has been aborted: its records are never to be seen. */
  abort(): void {
    const runs = this.#uncommitted;
    for (let i = 0; i < runs.length; i += 2) {
      for (let offset = runs[i] as number; offset < (runs[i + 1] as number); offset++) this.#aborted.add(offset);
    }
    this.commit();
  }

  isAborted(offset: number): boolean {
    return this.#aborted.size > 0 && this.#aborted.has(offset);
  }

  /** Puts the cursor on the record of that offset. */
  seek(offset: number, cursor: RecordCursor): void {
    const chunk = this.#chunks[this.#chunkOf(offset)] as Chunk;
    cursor.open(chunk.buffer, this.#describe(chunk, offset, offset + 1, this.#header));
    cursor.next();
  }

  /** The visible records of [from, to) as a fetch would bring them. */
  fetch(from: number, to: number): FetchedPartition {
    const batches: FetchedBatch[] = [];
    let byteLength = 0;
    for (let offset = from; offset < to; ) {
      if (this.isAborted(offset)) {
        offset++;
        continue;
      }
      const index = this.#chunkOf(offset);
      const end = this.#nextAborted(offset, Math.min(to, this.#endOffsetOf(index)));
      const batch = this.#batch(this.#chunks[index] as Chunk, offset, end);
      batches.push(batch);
      byteLength += batch.recordsEnd - batch.recordsStart;
      offset = end;
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

  #nextAborted(from: number, to: number): number {
    if (this.#aborted.size === 0) return to;
    let offset = from;
    while (offset < to && !this.#aborted.has(offset)) offset++;
    return offset;
  }

  /** Index of the chunk that holds a record; mostly it is the last. */
  #chunkOf(offset: number): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    if (high < 0 || (chunks[high] as Chunk).baseOffset <= offset) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((chunks[middle] as Chunk).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #endOffsetOf(index: number): number {
    return this.#chunks[index + 1]?.baseOffset ?? this.endOffset;
  }

  #batch(chunk: Chunk, from: number, to: number): FetchedBatch {
    const header = this.#describe(chunk, from, to, new RecordBatchHeader());
    const recordsStart = this.#starts[from] as number;
    return { buffer: chunk.buffer, recordsStart, recordsEnd: header.position + header.sizeInBytes, header };
  }

  /** Fills the header of the records [from, to) of a chunk. */
  #describe(chunk: Chunk, from: number, to: number, header: RecordBatchHeader): RecordBatchHeader {
    const starts = this.#starts;
    // The first record of the next chunk starts at 0, and no other does.
    const end = to === this.endOffset || starts[to] === 0 ? chunk.end : (starts[to] as number);
    header.position = (starts[from] as number) - HEADER_BYTES;
    header.sizeInBytes = end - header.position;
    header.baseOffset = chunk.baseOffset;
    header.lastOffsetDelta = to - 1 - chunk.baseOffset;
    header.baseTimestamp = chunk.baseTimestamp;
    header.recordCount = to - from;
    return header;
  }
}
