import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { VersionedKeyValueStore } from '../contracts/stores.ts';
import { assertOption, builderBase, compactedAfter, type StoreOptions } from './store-options.ts';
import { storeReader } from './store-reader.ts';
import { VersionedTable } from './versioned/versioned-table.ts';

/** Options of versioned stores. */
export interface VersionedStoreOptions extends StoreOptions {
  /** How far back in time the store answers, and how late a value may come, ms, ≥ 0. */
  readonly historyRetentionMs: number;
  /** Past versions expire in segments of this length, ms, ≥ 1. Only cost depends on it. Default a part of the history. */
  readonly segmentMs?: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * A store that keeps the past of each key: what it was at any time of the history.
 *
 * @throws SettingsError when an option is out of range
 *
 * Source: Kafka Streams `Stores.versionedKeyValueStoreBuilder` over `persistentVersionedKeyValueStore`.
 *
 * @example builder.addStateStore(versionedKeyValueStore('prices', string(), int64(), { historyRetentionMs: 86_400_000 }));
 */
export function versionedKeyValueStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: VersionedStoreOptions,
): StoreBuilder<VersionedKeyValueStore<K, V>> {
  const { historyRetentionMs, segmentMs = defaultSegmentMs(historyRetentionMs) } = options;
  assertOption(name, 'historyRetentionMs', historyRetentionMs, 0);
  assertOption(name, 'segmentMs', segmentMs, 1);
  const base = builderBase(name, 'versioned', options, compactedAfter(historyRetentionMs));
  const table = { name, keySerde, valueSerde, historyRetentionMs, segmentMs };
  const build = () => new VersionedTable(table);
  return { ...base, historyRetentionMs, reader: storeReader(name, keySerde, build), build };
}

/** Few segments, as each is looked into when the past of a key is; not too few, as the oldest is kept until all of it is past. */
function defaultSegmentMs(historyMs: number): number {
  if (historyMs <= MINUTE_MS) return Math.max(Math.floor(historyMs / 3), 2 * SECOND_MS);
  if (historyMs <= DAY_MS) return Math.max(Math.floor(historyMs / 5), 30 * SECOND_MS);
  return Math.max(Math.floor(historyMs / 12), 60 * MINUTE_MS);
}
