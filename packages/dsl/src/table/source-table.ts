import { type StoreBuilder, timestampedKeyValueStore, versionedKeyValueStore } from '@millrace/state';
import type { NodeProcessorSupplier } from '@millrace/topology';
import { tableSourceOperator } from '../operators/table-source.ts';
import { storedTableView, type TableView } from '../operators/table-view.ts';
import type { Materialized } from '../options/materialized.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import type { TableChanges } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';

/**
 * A table that is read from a stream of its changes. It has a store when the user named one, or when something below looks
 * rows up or wants old values.
 *
 * Source: Kafka Streams `KTableSource`.
 */
export class SourceTable<K, V> implements TableChanges<K, V> {
  readonly #dsl: DslContext;
  readonly #operator: string;
  readonly #materialized: Materialized<K, V>;
  #hasStore: boolean;
  #sendOldValues = false;

  /** @param operator as the user wrote it, for the error when a serde is missing */
  constructor(dsl: DslContext, operator: string, materialized: Materialized<K, V>) {
    this.#dsl = dsl;
    this.#operator = operator;
    this.#materialized = materialized;
    this.#hasStore = materialized.queryable;
  }

  get historyRetentionMs(): number | undefined {
    return this.#materialized.historyRetentionMs;
  }

  enableOldValues(force: boolean): boolean {
    if (!this.#hasStore && !force) return false;
    this.#hasStore = true;
    this.#sendOldValues = true;
    return true;
  }

  view(): TableView<K, V> {
    this.#hasStore = true;
    return storedTableView(this.#materialized.storeName, this.historyRetentionMs);
  }

  createSupplier(): NodeProcessorSupplier {
    const store = this.#hasStore ? this.#materialized.storeName : undefined;
    return tableSourceOperator({ store, sendOldValues: this.#sendOldValues });
  }

  createStores(): StoreBuilder[] {
    if (!this.#hasStore) return [];
    return [createTableStore(this.#dsl, this.#operator, this.#materialized)];
  }
}

/** The store of a table: timestamped, or versioned. */
export function createTableStore<K, V>(dsl: DslContext, operator: string, materialized: Materialized<K, V>): StoreBuilder {
  const { builder, storeName, key, value, historyRetentionMs, storeOptions } = materialized;
  if (builder !== undefined) return builder;
  const keySerde = requireSerde(dsl, 'key', key, operator);
  const valueSerde = requireSerde(dsl, 'value', value, operator);
  if (historyRetentionMs !== undefined) {
    return versionedKeyValueStore(storeName, keySerde, valueSerde, { ...storeOptions, historyRetentionMs });
  }
  return timestampedKeyValueStore(storeName, keySerde, valueSerde, storeOptions);
}
