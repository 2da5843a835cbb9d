import { ByteBuffer, NO_HEADERS, writeWith, type Headers, type Topic } from '@millrace/core';
import type { TestRecord } from './test-record.ts';

/** Where an input topic of the driver puts its records. */
export interface InputPort {
  /**
   * Begins a record. Nothing else may be done with the port before {@link end}; a record without is as if it had never begun.
   *
   * @returns where the key is to be written to, and after {@link endKey} the value
   */
  begin(timestamp: number): ByteBuffer;
  endKey(isPresent: boolean): void;
  end(hasValue: boolean, headers: Headers): void;
  /** True when a record may be appended and handed to {@link processAppended} at once. */
  isIdle(): boolean;
  /** Processes what has been appended. */
  processAppended(): Promise<void>;
  /**
   * When it is the turn of this topic, calls the function again and again; it appends some records and returns how many. They
   * are processed before the next call; 0 is the end.
   */
  process(appendNext: () => number): Promise<void>;
}

/** Records of a list that are appended before they are processed. */
const APPENDED_MAX = 256;

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
  readonly #port: InputPort;
  readonly #nowMs: () => number;
  readonly #autoAdvanceMs: number;
  #nextTimestamp: number | undefined;

  constructor(topic: Topic<K, V>, port: InputPort, nowMs: () => number, options: TestInputTopicOptions = {}) {
    this.#topic = topic;
    this.#port = port;
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
    return this.#processOne(key, value, options.timestamp ?? this.#takeTimestamp(), options.headers ?? NO_HEADERS);
  }

  pipeRecord(record: TestRecord<K, V>): Promise<void> {
    return this.#processOne(record.key, record.value, record.timestamp, record.headers);
  }

  /** Serialises at once: afterwards the caller may change what it has passed. */
  #processOne(key: K | undefined, value: V | undefined, timestamp: number, headers: Headers): Promise<void> {
    if (!this.#port.isIdle()) return this.#processLater(key, value, timestamp, headers);
    this.#append(key, value, timestamp, headers);
    return this.#port.processAppended();
  }

  #processLater(key: K | undefined, value: V | undefined, timestamp: number, headers: Headers): Promise<void> {
    const bytes = new ByteBuffer(256);
    this.#writeKey(key, bytes);
    const keyEnd = bytes.length;
    this.#writeValue(value, bytes);
    let count = 1;
    return this.#port.process(() => {
      if (count === 1) this.#appendBytes(key == null, value == null, bytes, keyEnd, timestamp, headers);
      return count--;
    });
  }

  /**
   * Processes records one after another, with the results of {@link pipeInput} for each, but commits many at once: several times
   * faster. When one fails, those before it that were not committed are lost with it, as in a worker. Whoever leaves out the
   * timestamp gets the topic's.
   */
  async pipeList(records: Iterable<readonly [key: K | undefined, value: V | undefined, timestamp?: number]>): Promise<void> {
    const iterator = records[Symbol.iterator]();
    await this.#port.process(() => {
      let count = 0;
      while (count < APPENDED_MAX) {
        const next = iterator.next();
        if (next.done === true) break;
        const record = next.value;
        this.#append(record[0], record[1], record[2] ?? this.#takeTimestamp(), NO_HEADERS);
        count++;
      }
      return count;
    });
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

  #append(key: K | undefined, value: V | undefined, timestamp: number, headers: Headers): void {
    const port = this.#port;
    const target = port.begin(timestamp);
    this.#writeKey(key, target);
    port.endKey(key != null);
    this.#writeValue(value, target);
    port.end(value != null, headers);
  }

  #appendBytes(
    keyIsAbsent: boolean,
    valueIsAbsent: boolean,
    { bytes, length }: ByteBuffer,
    keyEnd: number,
    timestamp: number,
    headers: Headers,
  ): void {
    const target = this.#port.begin(timestamp);
    target.writeRange(bytes, 0, keyEnd);
    this.#port.endKey(!keyIsAbsent);
    target.writeRange(bytes, keyEnd, length);
    this.#port.end(!valueIsAbsent, headers);
  }

  #writeKey(key: K | undefined, target: ByteBuffer): void {
    if (key != null) writeWith(this.#topic.key, key, target, this.#topic.name);
  }

  #writeValue(value: V | undefined, target: ByteBuffer): void {
    if (value != null) writeWith(this.#topic.value, value, target, this.#topic.name);
  }
}
