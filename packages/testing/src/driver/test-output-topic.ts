import { NO_HEADERS, readWith, StreamsError, type Headers, type Serde, type Topic } from '@millrace/core';
import { RecordCursor } from '@millrace/wire';
import type { TopicLog } from '../broker/topic-log.ts';
import type { TestKeyValue, TestRecord } from './test-record.ts';

/**
 * Reads typed records from a topic that the topology has written to, each of them once and in order. Each reader has a
 * position of its own; any topic can be read: outputs, repartition topics, changelogs, and inputs too.
 *
 * Source: Kafka Streams `TestOutputTopic`.
 */
export class TestOutputTopic<K, V> {
  readonly #topic: Topic<K, V>;
  readonly #log: TopicLog;
  readonly #cursor = new RecordCursor();
  #position = 0;

  constructor(topic: Topic<K, V>, log: TopicLog) {
    this.#topic = topic;
    this.#log = log;
  }

  /** True when everything has been read. */
  get isEmpty(): boolean {
    this.#skipAborted();
    return this.#position >= this.#log.visibleEnd;
  }

  /** How many records can be read. */
  get queueSize(): number {
    let size = 0;
    for (let offset = this.#position; offset < this.#log.visibleEnd; offset++) if (!this.#log.isAborted(offset)) size++;
    return size;
  }

  /** @throws StreamsError `EMPTY_TOPIC` when there is nothing to read */
  readRecord(): TestRecord<K, V> {
    const cursor = this.#next();
    const headers: Headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
    return { key: this.#key(), value: this.#value(), timestamp: cursor.timestamp, headers };
  }

  /** @throws StreamsError `EMPTY_TOPIC` when there is nothing to read */
  readKeyValue(): TestKeyValue<K, V> {
    this.#next();
    return { key: this.#key(), value: this.#value() };
  }

  /** @throws StreamsError `EMPTY_TOPIC` when there is nothing to read */
  readValue(): V | undefined {
    this.#next();
    return this.#value();
  }

  readRecordsToList(): TestRecord<K, V>[] {
    return this.#all(() => this.readRecord());
  }

  readKeyValuesToList(): TestKeyValue<K, V>[] {
    return this.#all(() => this.readKeyValue());
  }

  readValuesToList(): (V | undefined)[] {
    return this.#all(() => this.readValue());
  }

  /**
   * The latest value of each key, as if the topic were a table.
   *
   * @throws StreamsError `NULL_KEY` when a record has no key
   */
  readKeyValuesToMap(): Map<K, V | undefined> {
    const map = new Map<K, V | undefined>();
    for (const { key, value } of this.readKeyValuesToList()) {
      if (key === undefined)
        throw new StreamsError(
          'NULL_KEY',
          `a record of ${this.#topic.name} has no key, so it does not fit into a map; read a list`,
        );
      map.set(key, value);
    }
    return map;
  }

  #all<T>(read: () => T): T[] {
    const list: T[] = [];
    while (!this.isEmpty) list.push(read());
    return list;
  }

  #next(): RecordCursor {
    if (this.isEmpty) {
      throw new StreamsError(
        'EMPTY_TOPIC',
        `there is no (further) record in ${this.#topic.name}; ask isEmpty or queueSize first`,
        { topic: this.#topic.name },
      );
    }
    this.#log.seek(this.#position++, this.#cursor);
    return this.#cursor;
  }

  #skipAborted(): void {
    while (this.#position < this.#log.visibleEnd && this.#log.isAborted(this.#position)) this.#position++;
  }

  #key(): K | undefined {
    const { keyStart, keyEnd } = this.#cursor;
    return this.#read(this.#topic.key, keyStart, keyEnd);
  }

  #value(): V | undefined {
    const { valueStart, valueEnd } = this.#cursor;
    return this.#read(this.#topic.value, valueStart, valueEnd);
  }

  #read<T>(serde: Serde<T>, start: number, end: number): T | undefined {
    return start < 0 ? undefined : readWith(serde, this.#cursor.buffer, start, end, this.#topic.name);
  }
}
