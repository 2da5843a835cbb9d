import type { Headers } from './headers.ts';

/**
 * A record as processors see it: immutable; `with…` makes a changed copy.
 *
 * An absent key or value (`null` in Kafka) is `undefined`.
 *
 * Source: Kafka Streams `processor.api.Record`.
 */
export interface Record<K, V> {
  readonly key: K;
  readonly value: V;
  /** Event time, milliseconds since the epoch; never negative. */
  readonly timestamp: number;
  readonly headers: Headers;
  withKey<K2>(key: K2): Record<K2, V>;
  withValue<V2>(value: V2): Record<K, V2>;
  withTimestamp(timestamp: number): Record<K, V>;
  withHeaders(headers: Headers): Record<K, V>;
}

/** Where the record that is being processed was read from. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
