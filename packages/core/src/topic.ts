import { TopologyError } from './errors.ts';
import type { Serde } from './serde/serde.ts';

/** A topic with the types of its records: what `stream`, `table` and `to` take, and where types start to flow. */
export interface Topic<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

/**
 * Describes a topic.
 *
 * @param name 1–249 characters of `A–Z a–z 0–9 . _ -`
 * @throws TopologyError when the name is not one that Kafka accepts
 * @example const orders = topic('orders', { key: string(), value: json<Order>() });
 */
export function topic<K, V>(name: string, serdes: { readonly key: Serde<K>; readonly value: Serde<V> }): Topic<K, V> {
  assertTopicName(name);
  return { name, key: serdes.key, value: serdes.value };
}

/** Throws a TopologyError unless Kafka accepts the name. */
export function assertTopicName(name: string): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw new TopologyError(
      'INVALID_TOPIC_NAME',
      `${JSON.stringify(name)} is not a topic name; use 1 to 249 characters of A-Z a-z 0-9 . _ - (not "." or "..")`,
    );
  }
}
