import { type Duration, durationMs, type Serde, TopologyError } from '@millrace/core';
import type { StateStore, StoreBuilder, TopicConfig } from '@millrace/state';
import { assertName } from '@millrace/topology';
import type { DslContext } from '../origin/dsl-context.ts';

/**
 * How a table is kept.
 *
 * Source: Kafka Streams `Materialized`.
 */
export interface MaterializedOptions<K, V> {
  /** Name of the store; with it the store can be queried, and its changelog is `<applicationId>-<store>-changelog`. Or a store. */
  readonly store?: string | StoreBuilder;
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  /** Holds updates back until the next commit, which forwards one per row. Default true; effective while `cacheMaxBytes` > 0. */
  readonly caching?: boolean;
  /** Whether there is a changelog, or what to add to the configuration of its topic. Default true. */
  readonly logging?: boolean | TopicConfig;
  /**
   * Makes the table a versioned one, which keeps the past of each row for that long, and takes changes in the order of their
   * timestamps. Needs `store`; windowed aggregations refuse it (`WINDOWED_VERSIONED`). Kafka Streams:
   * `Materialized.as(Stores.persistentVersionedKeyValueStore(name, historyRetention))`.
   */
  readonly versioned?: Duration;
  /** How long windows and sessions are kept, at least their length plus grace, which is the default. */
  readonly retention?: Duration;
  /** Keeps the rows off the disk. Default false. */
  readonly inMemory?: boolean;
}

/** {@link MaterializedOptions} with everything decided but the serdes. */
export interface Materialized<K, V> {
  readonly storeName: string;
  /** True when the user named the store: then it is there in any case. */
  readonly queryable: boolean;
  /** A store of the user's own. */
  readonly builder: StoreBuilder<StateStore> | undefined;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  readonly retentionMs: number | undefined;
  /** How far back the past of the table is known; `undefined` when it is not versioned. */
  readonly historyRetentionMs: number | undefined;
  readonly storeOptions: { readonly caching: boolean; readonly logging: boolean | TopicConfig; readonly inMemory: boolean };
}

/** True when the user said anything about how the table is kept: in Kafka Streams, when there is a `Materialized`. */
export function isMaterialized(options: MaterializedOptions<never, never>): boolean {
  const { store, key, value, caching, logging, versioned, retention, inMemory } = options;
  return [store, key, value, caching, logging, versioned, retention, inMemory].some((option) => option !== undefined);
}

/** The user's name for the store, if there is one. */
export function userStoreName({ store }: { readonly store?: string | StoreBuilder }): string | undefined {
  return typeof store === 'object' ? store.name : store;
}

/** The store in which users can query the rows, if they have named it. */
export function queryableName({
  queryable,
  storeName,
}: Pick<Materialized<never, never>, 'queryable' | 'storeName'>): string | undefined {
  return queryable ? storeName : undefined;
}

/**
 * Decides the name of the store: a generated one takes a number.
 *
 * @param prefix of a generated name
 * @throws TopologyError `INVALID_NAME`, `VERSIONED_STORE_UNNAMED`
 */
export function resolveMaterialized<K, V>(
  dsl: DslContext,
  options: MaterializedOptions<K, V>,
  prefix: string,
): Materialized<K, V> {
  const named = userStoreName(options);
  if (named !== undefined) assertName(named, 'store');
  const { store, key, value, caching = true, logging = true, retention, inMemory = false } = options;
  return {
    storeName: named ?? dsl.names.nextStore(prefix),
    queryable: named !== undefined,
    builder: typeof store === 'object' ? store : undefined,
    key,
    value,
    retentionMs: retention === undefined ? undefined : durationMs(retention, 'retention'),
    historyRetentionMs: historyRetentionOf(options),
    storeOptions: { caching, logging, inMemory },
  };
}

function historyRetentionOf<K, V>({ store, versioned }: MaterializedOptions<K, V>): number | undefined {
  if (typeof store === 'object') return store.historyRetentionMs;
  if (versioned === undefined) return undefined;
  if (store !== undefined) return durationMs(versioned, 'versioned');
  throw new TopologyError('VERSIONED_STORE_UNNAMED', 'a versioned table is always stored; give its store a name: option `store`');
}
