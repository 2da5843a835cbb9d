import type { ByteBuffer, Headers } from '@millrace/core';
import type { FetchedBatch, FetchedPartition } from '@millrace/client';
import { RecordBatchHeader, type RecordCursor } from '@millrace/wire';
import { RecordWriter } from './record-writer.ts';

/** Bytes of a batch header, which these batches do not have: they are never sent. */
const HEADER_BYTES = 61;
const CHUNK_BYTES_MIN = 4 * 1024;
const CHUNK_BYTES_MAX = 256 * 1024;
/** Room that a chunk must have for another record: one that needs more makes the chunk grow, which copies it. */
const ROOM_BYTES_MIN = 1024;
/** Timestamps further apart stand in different batches: their difference is written as a 32-bit number. */
const TIMESTAMP_DELTA_MAX = 2 ** 30;
const NO_RECORDS = new Int32Array(0);

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
  readonly #chunks: RecordWriter[] = [];
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
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const chunk = this.#chunkFor(timestamp);
    return this.#added(
      chunk.append(timestamp, this.endOffset, key, keyStart, keyLength, value, valueStart, valueLength, headers),
    );
  }

  /**
   * Begins a record; one that is never ended leaves no trace.
   *
   * @returns where the key is to be written to; then comes {@link endKey}, then the value in the same way, then {@link end}
   */
  begin(timestamp: number): ByteBuffer {
    return this.#chunkFor(timestamp).begin(timestamp, this.endOffset);
  }

  /** @param isPresent false when the key is null: then nothing has been written */
  endKey(isPresent: boolean): void {
    this.#open.endKey(isPresent);
  }

  /** The value has been written, unless it is null. Returns the offset of the record. */
  end(isPresent: boolean, headers: Headers): number {
    return this.#added(this.#open.end(isPresent, headers));
  }

  #added(start: number): number {
    const offset = this.endOffset;
    if (offset === this.#starts.length) this.#growStarts();
    this.#starts[offset] = start;
    this.endOffset = offset + 1;
    return offset;
  }

  /** The chunk of the record that was begun last: no other is written to. */
  get #open(): RecordWriter {
    return this.#chunks[this.#chunks.length - 1] as RecordWriter;
  }

  /** The open chunk, or a new one when it is full, or its records are too far away in time. */
  #chunkFor(timestamp: number): RecordWriter {
    const { length } = this.#chunks;
    if (length === 0) return this.#startChunk(timestamp, CHUNK_BYTES_MIN);
    const last = this.#chunks[length - 1] as RecordWriter;
    if (last.room >= ROOM_BYTES_MIN && Math.abs(timestamp - last.baseTimestamp) <= TIMESTAMP_DELTA_MAX) return last;
    return this.#startChunk(timestamp, Math.min(last.capacity * 2, CHUNK_BYTES_MAX));
  }

  #startChunk(timestamp: number, bytes: number): RecordWriter {
    const chunk = new RecordWriter(this.endOffset, timestamp, bytes);
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
    const runs = this.#uncommitted;
    // Mostly one: cheaper than setting the length.
    while (runs.length > 0) runs.pop();
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
    const chunk = this.#chunks[this.#chunkOf(offset)] as RecordWriter;
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
      const batch = this.#batch(this.#chunks[index] as RecordWriter, offset, end);
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
      hasGaps: false,
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
    if (high < 0 || (chunks[high] as RecordWriter).baseOffset <= offset) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((chunks[middle] as RecordWriter).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #endOffsetOf(index: number): number {
    return this.#chunks[index + 1]?.baseOffset ?? this.endOffset;
  }

  #batch(chunk: RecordWriter, from: number, to: number): FetchedBatch {
    const header = this.#describe(chunk, from, to, new RecordBatchHeader());
    const recordsStart = this.#starts[from] as number;
    return { buffer: chunk.buffer, recordsStart, recordsEnd: header.position + header.sizeInBytes, header };
  }

  /** Fills the header of the records [from, to) of a chunk. */
  #describe(chunk: RecordWriter, from: number, to: number, header: RecordBatchHeader): RecordBatchHeader {
    const starts = this.#starts;
    // The first record of the next chunk starts at 0, and no other does.
    const end = to === this.endOffset || starts[to] === 0 ? chunk.endPosition : (starts[to] as number);
    header.position = (starts[from] as number) - HEADER_BYTES;
    header.sizeInBytes = end - header.position;
    header.baseOffset = chunk.baseOffset;
    header.lastOffsetDelta = to - 1 - chunk.baseOffset;
    header.baseTimestamp = chunk.baseTimestamp;
    header.recordCount = to - from;
    return header;
  }
}
