import type { ValueAndTimestamp } from '@millrace/state';
import { KeyValueView } from './key-value-view.ts';
import { QueryRunner, type QueryRunnerOptions } from './query-runner.ts';
import type {
  QueryableKeyValueStore,
  QueryableSessionStore,
  QueryableVersionedStore,
  QueryableWindowStore,
} from './queryable-stores.ts';
import { SessionView } from './session-view.ts';
import type { StoreFamily, StoreQueryOptions } from './store-query.ts';
import type { StoreHost } from './store-source.ts';
import { StoreView, type ValuesGiven } from './store-view.ts';
import { VersionedView } from './versioned-view.ts';
import { WindowView } from './window-view.ts';

/** Where a key of a store can be asked for. */
export interface KeyMetadata {
  /** The partition of the store that has the key. */
  readonly partition: number;
  /** `host:port` of the worker that runs the partition's task; `undefined` while it moves, or when that worker does not say. */
  readonly owner: string | undefined;
  /** Those that keep a copy, which may be behind. */
  readonly standbys: readonly string[];
}

/**
 * The stores of a running application, asked from outside: from an HTTP handler, say. What was asked of the worker that does not have
 * the answer is refused, with the name of the one that has: there is no silent "not found".
 *
 * Unless other things are asked for, answers are what tasks have committed, of tasks that run. Each call looks up where the partition
 * is, so a view may be kept as long as the application runs. Views are not meant for processors, which have their own stores.
 *
 * Source: Kafka Streams `KafkaStreams.store` and `query` (interactive queries); they read what is not committed yet.
 *
 * @example
 * const counts = app.queries.keyValueStore<string, number>('counts');
 * try {
 *   const count = await counts.get('alice');
 * } catch (error) {
 *   if (error instanceof StoreNotHereError && error.owner !== undefined) return redirectTo(error.owner);
 *   throw error;
 * }
 */
export class StoreQueries {
  readonly #runner: QueryRunner;

  constructor(options: QueryRunnerOptions) {
    this.#runner = new QueryRunner(options);
  }

  /** A key-value store, table or aggregation: values without timestamps. */
  keyValueStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableKeyValueStore<K, V> {
    return new KeyValueView(this.#view(name, 'keyValue', 'bare', options));
  }

  /** A table or aggregation: values with the timestamps of their latest update. */
  timestampedKeyValueStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableKeyValueStore<K, ValueAndTimestamp<V>> {
    return new KeyValueView(this.#view(name, 'keyValue', 'timestamped', options));
  }

  /** A versioned store or table. */
  versionedStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableVersionedStore<K, V> {
    return new VersionedView(this.#view(name, 'versioned', 'bare', options));
  }

  /** A window store or windowed aggregation: values without timestamps. */
  windowStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableWindowStore<K, V> {
    return new WindowView(this.#view(name, 'window', 'bare', options));
  }

  /** A windowed aggregation: values with the timestamps of their latest update. */
  timestampedWindowStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableWindowStore<K, ValueAndTimestamp<V>> {
    return new WindowView(this.#view(name, 'window', 'timestamped', options));
  }

  /** A session store or aggregation over sessions. */
  sessionStore<K, V>(name: string, options: StoreQueryOptions = {}): QueryableSessionStore<K, V> {
    return new SessionView(this.#view(name, 'session', 'bare', options));
  }

  /**
   * Which workers have which partitions of a store, as far as they say where they can be asked (`applicationServer`). A hint: partitions
   * move. Empty for a global store, which all have.
   *
   * Source: Kafka Streams `streamsMetadataForStore`.
   */
  async metadataForStore(name: string): Promise<readonly StoreHost[]> {
    return (await this.#runner.locate(name)).hosts;
  }

  /**
   * Which worker has a key, placed by Kafka's default partitioner. `undefined` for a global store, which all have.
   *
   * Source: Kafka Streams `queryMetadataForKey`.
   */
  async metadataForKey(name: string, key: unknown): Promise<KeyMetadata | undefined> {
    const { keyPartition: partition, hosts } = await this.#runner.locate(name, { key });
    if (partition === undefined) return undefined;
    return {
      partition,
      owner: hosts.find(({ activePartitions }) => activePartitions.includes(partition))?.endpoint,
      standbys: hosts.filter(({ standbyPartitions }) => standbyPartitions.includes(partition)).map(({ endpoint }) => endpoint),
    };
  }

  #view(store: string, family: StoreFamily, values: ValuesGiven, options: StoreQueryOptions): StoreView {
    return new StoreView({ runner: this.#runner, store, family, values, options });
  }
}
