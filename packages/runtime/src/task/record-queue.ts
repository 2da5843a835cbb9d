import {
  assert,
  type Clock,
  failOnInvalidTimestamp,
  NO_HEADERS,
  ProcessingError,
  readWith,
  type Headers,
  type Serde,
  type TimestampExtractor,
} from '@millrace/core';
import type { FetchedBatch, FetchedPartition } from '@millrace/client';
import type { ChangeSerde } from '@millrace/topology';
import { RecordCursor } from '@millrace/wire';
import type { RawRecord } from '../errors/deserialization-error-handler.ts';
import { openFetchedBatch } from './fetched-batch-cursor.ts';

/** The source node to which the records of a partition go, and what it says about reading them. */
export interface RecordSource {
  readonly name: string;
  /** Absent: the default of the task. */
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  /** Reads table changes (new and old value together) instead of plain values. */
  readonly changeSerde?: ChangeSerde | undefined;
  readonly timestampExtractor: TimestampExtractor | undefined;
  /** Its records are the rows of a table. Default false. */
  readonly feedsTable?: boolean;
  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void;
}

export interface RecordQueueOptions {
  readonly topic: string;
  readonly partition: number;
  readonly source: RecordSource;
  /** For sources that name no serde. */
  readonly defaultKeySerde: Serde<unknown>;
  readonly defaultValueSerde: Serde<unknown>;
  readonly listener: SkippedRecordListener;
  /** Absent: timestamps may be as far ahead as they like. */
  readonly timestampLimit?: TimestampLimit | undefined;
}

/** How far timestamps may be ahead of the wall clock. */
export interface TimestampLimit {
  readonly maxAheadMs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The timestamp is further ahead. Returns to skip the record, throws to stop the task. */
  onExceeded(queue: RecordQueue, aheadMs: number): void;
}

/** Told about the records that the queue cannot hand out. */
export interface SkippedRecordListener {
  /** Key or value cannot be read. Returns to skip the record, throws to stop the task. */
  onUnreadable(queue: RecordQueue, part: 'key' | 'value', error: unknown): void;
  /** The timestamp extractor answered with a negative timestamp. */
  onNegativeTimestamp(queue: RecordQueue): void;
}

/** Used batches that may stand before the waiting ones before both are moved up. */
const COMPACT_AT = 64;

/**
 * The records of one input partition that wait to be processed, in offset order.
 *
 * Batches are kept as they were fetched and decoded one record at a time: the fields describe the record at the head, so a
 * waiting record costs its bytes and nothing else. Timestamps are extracted when a record becomes the head, with the
 * partition time of the records taken before it.
 *
 * Source: Kafka Streams `RecordQueue`.
 */
export class RecordQueue {
  readonly topic: string;
  readonly partition: number;
  /** False when everything that was enqueued has been taken; the fields of the head then mean nothing. */
  hasHead = false;
  key: unknown = undefined;
  value: unknown = undefined;
  /** Only for table changes: the row's value before. */
  oldValue: unknown = undefined;
  timestamp = -1;
  offset = -1;
  headers: Headers = NO_HEADERS;
  /** Of the topic to which the offsets belong; absent where the broker does not tell. */
  topicId: string | undefined = undefined;
  /** Highest timestamp taken from this partition; −1 before the first. */
  partitionTime = -1;
  /** Bytes of the batches that are not used up. */
  bufferedBytes = 0;

  readonly #options: RecordQueueOptions;
  #source: RecordSource;
  readonly #cursor = new RecordCursor();
  readonly #consumed: MutableConsumedRecord;
  readonly #change = { newValue: undefined as unknown, oldValue: undefined as unknown };
  /** Batches not used up; the first one is open when `#open`. Offsets from which they are wanted stand beside them. */
  readonly #batches: (FetchedBatch | undefined)[] = [];
  readonly #fromOffsets: number[] = [];
  #at = 0;
  #open = false;
  #position: number | undefined;
  #committedOffset: number | undefined;
  #committedPartitionTime = -1;
  #preparedOffset: number | undefined;
  #preparedPartitionTime = -1;
  /** The latest timestamp that is let in, as of the last look at the clock. */
  #latestMs: number;

  constructor(options: RecordQueueOptions) {
    const { topic, partition, source } = options;
    this.topic = topic;
    this.partition = partition;
    this.#options = options;
    this.#source = source;
    this.#latestMs = options.timestampLimit === undefined ? Infinity : -Infinity;
    this.#consumed = { topic, partition, offset: -1, timestamp: -1, key: undefined, value: undefined, headers: NO_HEADERS };
  }

  /** The node to which the records go. */
  get source(): RecordSource {
    return this.#source;
  }

  /** Goes on with another node, when the nodes of the task are made anew. */
  connect(source: RecordSource): void {
    this.#source = source;
  }

  /** The offset from which more is expected; `undefined` when it is not known before the first `enqueue`. */
  get position(): number | undefined {
    return this.#position;
  }

  /**
   * The offset to commit: that of the next record to process or, when all are processed, the position behind everything
   * fetched (markers and aborted records included).
   */
  get nextOffset(): number | undefined {
    return this.hasHead ? this.offset : this.#position;
  }

  /** Says where the last commit left off: the next offset to process and the partition time. {@link rollback} goes back there. */
  committed(offset: number | undefined, partitionTime: number): void {
    this.#committedOffset = offset;
    this.#committedPartitionTime = partitionTime;
  }

  /** Takes down what {@link confirmCommit} will count as committed. */
  prepareCommit(): void {
    this.#preparedOffset = this.nextOffset;
    this.#preparedPartitionTime = this.partitionTime;
  }

  confirmCommit(): void {
    this.#committedOffset = this.#preparedOffset;
    this.#committedPartitionTime = this.#preparedPartitionTime;
  }

  /** The offset of the last commit. */
  get committedOffset(): number | undefined {
    return this.#committedOffset;
  }

  /** Drops what waits and goes back to the last commit. */
  rollback(): void {
    this.#batches.length = 0;
    this.#fromOffsets.length = 0;
    this.#at = 0;
    this.#open = false;
    this.bufferedBytes = 0;
    this.#position = this.#committedOffset;
    this.partitionTime = this.#committedPartitionTime;
    this.#dropHead();
  }

  /** Adds what was fetched behind what waits. Returns true when there was no head before and there is one now. */
  enqueue(fetched: FetchedPartition): boolean {
    const behind = this.#position === undefined || fetched.nextOffset >= this.#position;
    assert(behind, `${this.topic}-${this.partition} was fetched up to ${fetched.nextOffset}, behind ${this.#position}`);
    for (const batch of fetched.batches) {
      this.#batches.push(batch);
      this.#fromOffsets.push(fetched.fetchOffset);
      this.bufferedBytes += batch.recordsEnd - batch.recordsStart;
    }
    this.#position = fetched.nextOffset;
    this.#lookAtClock();
    if (this.hasHead) return false;
    this.#findHead();
    return this.hasHead;
  }

  /** Counts the head as taken: partition time moves on. */
  take(): void {
    if (this.timestamp > this.partitionTime) this.partitionTime = this.timestamp;
  }

  /** Moves to the next record that can be read; `hasHead` tells whether there is one. */
  advance(): void {
    this.#findHead();
  }

  #findHead(): void {
    while (this.#nextRecord()) {
      if (!this.#decode()) continue;
      this.hasHead = true;
      return;
    }
    this.#dropHead();
  }

  #dropHead(): void {
    this.hasHead = false;
    this.key = undefined;
    this.value = undefined;
    this.oldValue = undefined;
    this.headers = NO_HEADERS;
  }

  #nextRecord(): boolean {
    for (;;) {
      if (this.#open) {
        if (this.#cursor.next()) return true;
        this.#closeBatch();
      }
      if (this.#at === this.#batches.length) return false;
      openFetchedBatch(this.#cursor, this.#batches[this.#at] as FetchedBatch, this.#fromOffsets[this.#at] as number);
      this.#open = true;
    }
  }

  /** Lets go of the used batch; the list is compacted when it is used up, so that no batch costs a shift. */
  #closeBatch(): void {
    const batch = this.#batches[this.#at] as FetchedBatch;
    this.bufferedBytes -= batch.recordsEnd - batch.recordsStart;
    // A batch holds a whole response of the broker: kept until the next compaction, many of them would.
    this.#batches[this.#at] = undefined;
    this.#open = false;
    this.#at++;
    if (this.#at < this.#batches.length && this.#at < COMPACT_AT) return;
    if (this.#batches.length === 1) {
      this.#batches.pop();
      this.#fromOffsets.pop();
    } else {
      this.#batches.splice(0, this.#at);
      this.#fromOffsets.splice(0, this.#at);
    }
    this.#at = 0;
  }

  /** Fills the head's fields; false when the record is to be skipped. */
  #decode(): boolean {
    const cursor = this.#cursor;
    this.offset = cursor.offset;
    this.timestamp = cursor.timestamp;
    this.headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
    if (!this.#readKey(cursor) || !this.#readValue(cursor)) return false;
    return this.#extractTimestamp();
  }

  #readKey(cursor: RecordCursor): boolean {
    try {
      const serde = this.#source.keySerde ?? this.#options.defaultKeySerde;
      this.key = cursor.keyStart < 0 ? undefined : readWith(serde, cursor.buffer, cursor.keyStart, cursor.keyEnd, this.topic);
      return true;
    } catch (error) {
      this.#options.listener.onUnreadable(this, 'key', error);
      return false;
    }
  }

  #readValue(cursor: RecordCursor): boolean {
    const { changeSerde } = this.#source;
    try {
      if (cursor.valueStart < 0) {
        this.value = undefined;
        this.oldValue = undefined;
      } else if (changeSerde === undefined) {
        const serde = this.#source.valueSerde ?? this.#options.defaultValueSerde;
        this.value = readWith(serde, cursor.buffer, cursor.valueStart, cursor.valueEnd, this.topic);
      } else {
        changeSerde.deserialize(cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd), this.topic, this.#change);
        this.value = this.#change.newValue;
        this.oldValue = this.#change.oldValue;
      }
      return true;
    } catch (error) {
      this.#options.listener.onUnreadable(this, 'value', error);
      return false;
    }
  }

  #extractTimestamp(): boolean {
    const extractor = this.#source.timestampExtractor ?? failOnInvalidTimestamp;
    // The default on a valid record: no need to show it to anybody.
    if (extractor !== failOnInvalidTimestamp || this.timestamp < 0) this.timestamp = this.#extractWith(extractor);
    if (this.timestamp < 0) {
      this.#options.listener.onNegativeTimestamp(this);
      return false;
    }
    return this.timestamp <= this.#latestMs || this.#isInTime();
  }

  /** The clock is looked at with each answer, since it may have been put back, and before a record is refused. */
  #lookAtClock(): void {
    const { timestampLimit } = this.#options;
    if (timestampLimit !== undefined) this.#latestMs = timestampLimit.clock.nowMs() + timestampLimit.maxAheadMs;
  }

  #isInTime(): boolean {
    this.#lookAtClock();
    if (this.timestamp <= this.#latestMs) return true;
    const { timestampLimit } = this.#options;
    timestampLimit?.onExceeded(this, this.timestamp - this.#latestMs + timestampLimit.maxAheadMs);
    return false;
  }

  #extractWith(extractor: TimestampExtractor): number {
    const record = this.#consumed;
    record.offset = this.offset;
    record.timestamp = this.timestamp;
    record.key = this.key;
    record.value = this.value;
    record.headers = this.headers;
    let timestamp: number;
    try {
      timestamp = extractor(record, this.partitionTime);
    } catch (cause) {
      if (cause instanceof ProcessingError) throw cause;
      throw this.#extractorError('TIMESTAMP_EXTRACTOR_FAILED', 'the timestamp extractor threw an error', cause);
    }
    if (Number.isSafeInteger(timestamp)) return timestamp;
    const answer = `the timestamp extractor returned ${String(timestamp)}`;
    throw this.#extractorError(
      'INVALID_TIMESTAMP',
      `${answer}; it has to return whole milliseconds, or a negative number to skip the record`,
    );
  }

  #extractorError(code: string, message: string, cause?: unknown): ProcessingError {
    return new ProcessingError(code, message, {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      node: this.#source.name,
      cause,
    });
  }

  /** Copies of the bytes of the head, or of the record that is just being decoded, for error handlers. */
  raw(): RawRecord {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = this.#cursor;
    return { key: copyOf(buffer, keyStart, keyEnd), value: copyOf(buffer, valueStart, valueEnd) };
  }
}

/** A negative start is null. */
function copyOf(buffer: Buffer, start: number, end: number): Buffer | undefined {
  return start < 0 ? undefined : Buffer.from(buffer.subarray(start, end));
}

interface MutableConsumedRecord {
  readonly topic: string;
  readonly partition: number;
  offset: number;
  timestamp: number;
  key: unknown;
  value: unknown;
  headers: Headers;
}
