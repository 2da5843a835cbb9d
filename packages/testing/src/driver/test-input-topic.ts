import { ByteBuffer, NO_HEADERS, writeWith, type Headers, type Topic } from '@millrace/core';
import type { TestRecord } from './test-record.ts';

/** Where an input topic of the driver puts its records. */
export interface InputPort {
  /** Appends a serialised record, a copy of the bytes. */
  append(
    timestamp: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void;
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
  readonly #scratch = new ByteBuffer(256);
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
    const keyEnd = this.#serialize(key, value, this.#scratch);
    this.#append(key == null, value == null, keyEnd, this.#scratch, timestamp, headers);
    return this.#port.processAppended();
  }

  #processLater(key: K | undefined, value: V | undefined, timestamp: number, headers: Headers): Promise<void> {
    const bytes = new ByteBuffer(256);
    const keyEnd = this.#serialize(key, value, bytes);
    let count = 1;
    return this.#port.process(() => {
      if (count === 1) this.#append(key == null, value == null, keyEnd, bytes, timestamp, headers);
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
        const [key, value, timestamp] = next.value;
        const keyEnd = this.#serialize(key, value, this.#scratch);
        this.#append(key == null, value == null, keyEnd, this.#scratch, timestamp ?? this.#takeTimestamp(), NO_HEADERS);
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

  /** @returns where the key ends and the value begins */
  #serialize(key: K | undefined, value: V | undefined, target: ByteBuffer): number {
    const { name, key: keySerde, value: valueSerde } = this.#topic;
    target.clear();
    if (key != null) writeWith(keySerde, key, target, name);
    const keyEnd = target.length;
    if (value != null) writeWith(valueSerde, value, target, name);
    return keyEnd;
  }

  #append(
    keyIsAbsent: boolean,
    valueIsAbsent: boolean,
    keyEnd: number,
    { bytes, length }: ByteBuffer,
    timestamp: number,
    headers: Headers,
  ): void {
    this.#port.append(timestamp, bytes, keyIsAbsent ? -1 : 0, keyEnd, valueIsAbsent ? -1 : keyEnd, length, headers);
  }
}
