import type { Headers } from '@millrace/core';

/** A record as tests write and read it. */
export interface TestRecord<K, V> {
  /** `undefined` is Kafka's null. */
  readonly key: K | undefined;
  /** `undefined` is Kafka's null: a tombstone where the topic is a table. */
  readonly value: V | undefined;
  /** Event time in ms since the epoch. */
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Key and value of a record, without its timestamp and headers. */
export interface TestKeyValue<K, V> {
  readonly key: K | undefined;
  readonly value: V | undefined;
}
