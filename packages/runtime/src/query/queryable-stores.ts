import type {
  KeyValue,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
  ValueAndTimestamp,
  WindowedKey,
} from '@millrace/state';

/**
 * A key-value store as it can be asked from outside its tasks. Ranges give the rows of the partitions that are on this worker: ordered
 * by serialised key within a partition, one partition after the other, each as it was when its first row was read.
 *
 * Source: Kafka Streams `ReadOnlyKeyValueStore` as `KafkaStreams.store` gives it.
 */
export interface QueryableKeyValueStore<K, V> extends Omit<ReadOnlyKeyValueStore<K, V>, 'get' | 'approximateNumEntries'> {
  get(key: K): Promise<V | undefined>;
  /** A guess at the number of rows on this worker; cheap. */
  approximateNumEntries(): Promise<number>;
}

/** A versioned store as it can be asked from outside its tasks. Source: Kafka Streams `VersionedKeyQuery`. */
export interface QueryableVersionedStore<K, V> extends Omit<ReadOnlyVersionedKeyValueStore<K, V>, 'get' | 'historyRetentionMs'> {
  /** The latest value, or the one that was valid at a time (ms since 1970). */
  get(key: K, asOf?: number): Promise<ValueAndTimestamp<V> | undefined>;
}

/**
 * A window store as it can be asked from outside its tasks; times are window starts, ms since 1970, both bounds inclusive. Ranges of
 * keys give those of the partitions that are on this worker.
 *
 * Source: Kafka Streams `ReadOnlyWindowStore` as `KafkaStreams.store` gives it.
 */
export interface QueryableWindowStore<K, V> extends Omit<ReadOnlyWindowStore<K, V>, 'fetch'> {
  fetch(key: K, windowStart: number): Promise<V | undefined>;
}

type Sessions<K, V> = AsyncIterable<KeyValue<WindowedKey<K>, V>>;

/**
 * A session store as it can be asked from outside its tasks; times are ms since 1970. Ranges of keys give those of the partitions that
 * are on this worker.
 *
 * Source: Kafka Streams `ReadOnlySessionStore` as `KafkaStreams.store` gives it.
 */
export interface QueryableSessionStore<K, V> extends Pick<ReadOnlySessionStore<K, V>, 'name' | 'fetchKeys' | 'all'> {
  fetchSession(key: K, start: number, end: number): Promise<V | undefined>;
  /** All sessions of a key, in order of end. */
  fetch(key: K): Sessions<K, V>;
  backwardFetch(key: K): Sessions<K, V>;
  /** Sessions of a key with `end ≥ earliestEnd` and `start ≤ latestStart`. */
  findSessions(key: K, earliestEnd: number, latestStart: number): Sessions<K, V>;
  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): Sessions<K, V>;
}
