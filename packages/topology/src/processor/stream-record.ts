import { type Headers, NO_HEADERS, type Record } from '@millrace/core';
import type { FixedKeyRecord } from './processor.ts';

/** The record that processors get and forward. */
export class StreamRecord<K, V> implements Record<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: Headers;

  /** @throws RangeError when the timestamp is negative or not a number */
  constructor(key: K, value: V, timestamp: number, headers: Headers = NO_HEADERS) {
    assertTimestamp(timestamp);
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
  }

  withKey<K2>(key: K2): StreamRecord<K2, V> {
    return new StreamRecord(key, this.value, this.timestamp, this.headers);
  }

  withValue<V2>(value: V2): StreamRecord<K, V2> {
    return new StreamRecord(this.key, value, this.timestamp, this.headers);
  }

  withTimestamp(timestamp: number): StreamRecord<K, V> {
    return new StreamRecord(this.key, this.value, timestamp, this.headers);
  }

  withHeaders(headers: Headers): StreamRecord<K, V> {
    return new StreamRecord(this.key, this.value, this.timestamp, headers);
  }
}

/** A record whose key is what it was: there is no way to make one with another key. */
export class FixedKeyStreamRecord<K, V> implements FixedKeyRecord<K, V> {
  readonly #record: StreamRecord<K, V>;

  constructor(record: StreamRecord<K, V>) {
    this.#record = record;
  }

  get key(): K {
    return this.#record.key;
  }

  get value(): V {
    return this.#record.value;
  }

  get timestamp(): number {
    return this.#record.timestamp;
  }

  get headers(): Headers {
    return this.#record.headers;
  }

  withValue<V2>(value: V2): FixedKeyStreamRecord<K, V2> {
    return new FixedKeyStreamRecord(this.#record.withValue(value));
  }

  withTimestamp(timestamp: number): FixedKeyStreamRecord<K, V> {
    return new FixedKeyStreamRecord(this.#record.withTimestamp(timestamp));
  }

  withHeaders(headers: Headers): FixedKeyStreamRecord<K, V> {
    return new FixedKeyStreamRecord(this.#record.withHeaders(headers));
  }
}

/** Not a StreamsError: it is user code that made the timestamp, so the processing handler decides. */
export function assertTimestamp(timestamp: number): void {
  if (!(timestamp >= 0)) {
    throw new RangeError(`a record cannot have the timestamp ${timestamp}; give it milliseconds since the epoch, 0 or more`);
  }
}
