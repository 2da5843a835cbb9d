import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { KeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp } from '../contracts/stores.ts';
import { KeyValueTable } from './key-value-table.ts';
import { ExpiringTable } from './expiring/expiring-table.ts';
import { assertOption, builderBase, type CachedStoreOptions, COMPACTED, compactedWithRetention } from './store-options.ts';
import { storeReader } from './store-reader.ts';

/** Options of key-value stores of bare values. */
export interface KeyValueStoreOptions extends CachedStoreOptions {
  /**
   * How long a row lives after its last write, in stream time, ms, ≥ 1: the highest timestamp of the records with which values
   * have been put. Its changelog forgets rows, too. Such a store is never cached. Default: for ever. Kafka Streams has no such
   * stores.
   */
  readonly ttlMs?: number;
}

/** A key-value store whose users see bare values. */
export class PlainKeyValueTable<K, V> extends KeyValueTable<K, V, V> {
  protected result(value: V): V {
    return value;
  }

  protected valueIn(result: V): V {
    return result;
  }

  protected timestampOf(): number {
    return this.recordTimestamp;
  }
}

/** A key-value store whose users see values with timestamps. */
export class TimestampedKeyValueTable<K, V>
  extends KeyValueTable<K, V, ValueAndTimestamp<V>>
  implements TimestampedKeyValueStore<K, V>
{
  protected result(value: V, timestamp: number): ValueAndTimestamp<V> {
    return { value, timestamp };
  }

  protected valueIn(result: ValueAndTimestamp<V>): V | undefined {
    return result.value;
  }

  protected timestampOf(result: ValueAndTimestamp<V> | undefined): number {
    return result?.value == null ? this.recordTimestamp : result.timestamp;
  }
}

/**
 * A store of values by key.
 *
 * @param name names the store, and its changelog `<applicationId>-<name>-changelog`
 * @throws SettingsError when an option is out of range
 *
 * Source: Kafka Streams `Stores.keyValueStoreBuilder` over `persistentKeyValueStore` or `inMemoryKeyValueStore`.
 *
 * @example builder.addStateStore(keyValueStore('counts', string(), int64()));
 */
export function keyValueStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: KeyValueStoreOptions = {},
): StoreBuilder<KeyValueStore<K, V>> {
  const { ttlMs } = options;
  if (ttlMs !== undefined) {
    assertOption(name, 'ttlMs', ttlMs, 1);
    const expiring = builderBase(name, 'keyValue', options, compactedWithRetention(ttlMs));
    const build = () => new ExpiringTable({ name, kind: expiring.kind, keySerde, valueSerde, ttlMs });
    return { ...expiring, reader: storeReader(name, keySerde, build), build };
  }
  const base = builderBase(name, 'keyValue', options, COMPACTED);
  const table = { name, kind: base.kind, keySerde, valueSerde, timestamped: false, cached: options.caching ?? false };
  const reader = storeReader(name, keySerde, () => new PlainKeyValueTable({ ...table, cached: false }));
  return { ...base, reader, build: () => new PlainKeyValueTable(table) };
}

/**
 * A store of values with timestamps by key: what tables and aggregations are made of.
 *
 * Source: Kafka Streams `Stores.timestampedKeyValueStoreBuilder`.
 */
export function timestampedKeyValueStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: CachedStoreOptions = {},
): StoreBuilder<TimestampedKeyValueStore<K, V>> {
  const base = builderBase(name, 'timestampedKeyValue', options, COMPACTED);
  const table = { name, kind: base.kind, keySerde, valueSerde, timestamped: true, cached: options.caching ?? false };
  const reader = storeReader(name, keySerde, () => new TimestampedKeyValueTable({ ...table, cached: false }));
  return { ...base, reader, build: () => new TimestampedKeyValueTable(table) };
}
