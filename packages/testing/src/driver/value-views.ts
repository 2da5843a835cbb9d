import type {
  KeyValue,
  ReadOnlyKeyValueStore,
  ReadOnlyWindowStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  ValueAndTimestamp,
  WindowedKey,
} from '@millrace/state';

/** Shows the values of a timestamped store without their timestamps. Source: Kafka Streams `KeyValueStoreFacade`. */
export function keyValueView<K, V>(store: TimestampedKeyValueStore<K, V>): ReadOnlyKeyValueStore<K, V> {
  return {
    name: store.name,
    get: (key) => store.get(key)?.value,
    range: (from, to) => plain(store.range(from, to)),
    reverseRange: (from, to) => plain(store.reverseRange(from, to)),
    all: () => plain(store.all()),
    reverseAll: () => plain(store.reverseAll()),
    prefixScan: (prefix) => plain(store.prefixScan(prefix)),
    approximateNumEntries: () => store.approximateNumEntries(),
  };
}

/** Likewise for windows. Source: Kafka Streams `WindowStoreFacade`. */
export function windowView<K, V>(store: TimestampedWindowStore<K, V>): ReadOnlyWindowStore<K, V> {
  return {
    name: store.name,
    fetch: (key, windowStart) => store.fetch(key, windowStart)?.value,
    fetchRange: (key, from, to) => plain<number, V>(store.fetchRange(key, from, to)),
    backwardFetchRange: (key, from, to) => plain<number, V>(store.backwardFetchRange(key, from, to)),
    fetchKeys: (keyFrom, keyTo, from, to) => plain<WindowedKey<K>, V>(store.fetchKeys(keyFrom, keyTo, from, to)),
    fetchAll: (from, to) => plain<WindowedKey<K>, V>(store.fetchAll(from, to)),
    all: () => plain<WindowedKey<K>, V>(store.all()),
    backwardFetchKeys: (keyFrom, keyTo, from, to) => plain<WindowedKey<K>, V>(store.backwardFetchKeys(keyFrom, keyTo, from, to)),
    backwardFetchAll: (from, to) => plain<WindowedKey<K>, V>(store.backwardFetchAll(from, to)),
    backwardAll: () => plain<WindowedKey<K>, V>(store.backwardAll()),
  };
}

async function* plain<K, V>(
  entries: AsyncIterable<readonly [key: K, row: ValueAndTimestamp<V>]>,
): AsyncGenerator<KeyValue<K, V>> {
  for await (const [key, { value }] of entries) yield [key, value];
}
