import { ByteBuffer, NO_HEADERS, writeWith, type Headers, type Topic } from '@millrace/core';
import type { TestRecord } from './test-record.ts';

/** Appends a serialised record to the topic and lets the topology process it. The bytes are copied before it returns. */
export type PipeBytes = (
  timestamp: number,
  bytes: Buffer,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
  headers: Headers,
) => Promise<void>;

export interface TestInputTopicOptions {
  /** Timestamp of the first record that has none of its own. Default: the driver's wall clock as it stands at each record. */
  readonly startTimestampMs?: number;
  /** How far the timestamp moves after each record that has none of its own. Default 0. */
  readonly autoAdvanceMs?: number;
}

export interface PipeOptions {
  /** Event time in ms since the epoch. Default: that of the topic, see {@link TestInputTopicOptions}. */
  readonly timestamp?: number;
  readonly headers?: Headers;
}

/**
 * Writes typed records to an input topic of a driver.
 *
 * Each method resolves when the records, and everything they caused, have been processed and committed, except for asynchronous
 * operators that need I/O or time (see `TopologyTestDriver.settled`); it rejects with what made the application fail. Records that are piped without waiting are processed in the order of the calls.
 *
 * Source: Kafka Streams `TestInputTopic`.
 */
export class TestInputTopic<K, V> {
  readonly #topic: Topic<K, V>;
  readonly #pipe: PipeBytes;
  readonly #nowMs: () => number;
  readonly #autoAdvanceMs: number;
  readonly #scratch = new ByteBuffer(256);
  #nextTimestamp: number | undefined;

  constructor(topic: Topic<K, V>, pipe: PipeBytes, nowMs: () => number, options: TestInputTopicOptions = {}) {
    this.#topic = topic;
    this.#pipe = pipe;
    this.#nowMs = nowMs;
    this.#nextTimestamp = options.startTimestampMs;
    this.#autoAdvanceMs = options.autoAdvanceMs ?? 0;
  }

  /**
   * Processes one record.
   *
   * @example await orders.pipeInput('o-1', { amount: 5 }, { timestamp: 1_000 });
   */
  pipeInput(key: K | undefined, value: V | undefined, options: PipeOptions = {}): Promise<void> {
    return this.#write(key, value, options.timestamp ?? this.#takeTimestamp(), options.headers ?? NO_HEADERS);
  }

  pipeRecord(record: TestRecord<K, V>): Promise<void> {
    return this.#write(record.key, record.value, record.timestamp, record.headers);
  }

  /** Processes records one after another. Whoever leaves out the timestamp gets the topic's. */
  async pipeList(records: Iterable<readonly [key: K | undefined, value: V | undefined, timestamp?: number]>): Promise<void> {
    for (const [key, value, timestamp] of records) await this.#write(key, value, timestamp ?? this.#takeTimestamp(), NO_HEADERS);
  }

  /** Moves the timestamp that records without one get. Does not move the driver's wall clock. */
  advanceTime(ms: number): void {
    this.#nextTimestamp = (this.#nextTimestamp ?? this.#nowMs()) + ms;
  }

  #takeTimestamp(): number {
    const timestamp = this.#nextTimestamp ?? this.#nowMs();
    if (this.#autoAdvanceMs !== 0) this.#nextTimestamp = timestamp + this.#autoAdvanceMs;
    return timestamp;
  }

  /** Synchronous up to the call of `pipe`, which copies the bytes: so the buffer can be used again. */
  async #write(key: K | undefined, value: V | undefined, timestamp: number, headers: Headers): Promise<void> {
    const { name, key: keySerde, value: valueSerde } = this.#topic;
    const scratch = this.#scratch;
    scratch.clear();
    if (key != null) writeWith(keySerde, key, scratch, name);
    const keyEnd = scratch.length;
    if (value != null) writeWith(valueSerde, value, scratch, name);
    await this.#pipe(
      timestamp,
      scratch.bytes,
      key == null ? -1 : 0,
      keyEnd,
      value == null ? -1 : keyEnd,
      scratch.length,
      headers,
    );
  }
}
