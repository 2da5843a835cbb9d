import type { StoreBuilder } from '@millrace/state';
import type { NodeProcessorSupplier } from '@millrace/topology';
import { storedTableView, type TableView } from '../operators/table-view.ts';
import {
  isMaterialized,
  type Materialized,
  type MaterializedOptions,
  queryableName,
  resolveMaterialized,
} from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { TableChanges, TableOrigin } from '../origin/origins.ts';
import { createTableStore } from './source-table.ts';

/** What one kind of derived table does. */
export interface DerivedTableOperation<V, K, R> {
  /** As the user wrote it. */
  readonly operator: string;
  readonly prefix: string;
  /** @param overVersions whether the parent is versioned, so that changes may come that are not the latest */
  supplier(store: string | undefined, sendOldValues: boolean, overVersions: boolean): NodeProcessorSupplier;
  /** Looks the rows up in the parent, and does the operation again. */
  view(parent: TableView<K, V>): TableView<K, R>;
  /** True when it is better to know old values, if the parent has them anyway. */
  readonly prefersOldValues: boolean;
  /** False when a store that is described but not named takes no number. Default true. */
  readonly numbersUnnamedStore?: boolean;
  /** Stores of the user's code, to be added with the node. */
  readonly broughtStores?: readonly StoreBuilder[];
  /** Names of stores that belong to others. */
  readonly connectedStores?: readonly string[];
}

/**
 * A table that is another one, filtered or mapped. It has a store only when the user names one.
 *
 * Source: Kafka Streams `KTableFilter`, `KTableMapValues`.
 */
class DerivedTable<K, V, R> implements TableChanges<K, R> {
  readonly #parent: TableChanges<K, V>;
  readonly #operation: DerivedTableOperation<V, K, R>;
  readonly #store: string | undefined;
  readonly historyRetentionMs: number | undefined;
  #sendOldValues: boolean;

  /** @param store the table's own, if it has one */
  constructor(
    parent: TableChanges<K, V>,
    operation: DerivedTableOperation<V, K, R>,
    store: Pick<Materialized<K, R>, 'storeName' | 'historyRetentionMs'> | undefined,
  ) {
    this.#parent = parent;
    this.#operation = operation;
    this.#store = store?.storeName;
    this.historyRetentionMs = store === undefined ? parent.historyRetentionMs : store.historyRetentionMs;
    this.#sendOldValues = operation.prefersOldValues && parent.enableOldValues(false);
  }

  enableOldValues(force: boolean): boolean {
    if (this.#store !== undefined || this.#parent.enableOldValues(force)) this.#sendOldValues = true;
    return this.#sendOldValues;
  }

  view(): TableView<K, R> {
    if (this.#store !== undefined) return storedTableView(this.#store, this.historyRetentionMs);
    return this.#operation.view(this.#parent.view());
  }

  createSupplier(): NodeProcessorSupplier {
    return this.#operation.supplier(this.#store, this.#sendOldValues, this.#parent.historyRetentionMs !== undefined);
  }
}

/** Adds a filtered or mapped table; `serdes` are those of the result that are known. */
export function addDerivedTable<K, V, R>(
  from: TableOrigin<K, V>,
  operation: DerivedTableOperation<V, K, R>,
  options: NamedOptions & MaterializedOptions<K, R>,
  inherited: Pick<TableOrigin<K, R>, 'key' | 'value'>,
): TableOrigin<K, R> {
  const { dsl, sources } = from;
  const key = options.key ?? inherited.key;
  const value = options.value ?? inherited.value;
  // A store that is described but not named is not made, yet it may take a number.
  const resolves = isMaterialized(options as MaterializedOptions<never, never>) && operation.numbersUnnamedStore !== false;
  const materialized =
    resolves || options.store !== undefined
      ? resolveMaterialized(dsl, { ...options, ...(key && { key }), ...(value && { value }) }, operation.prefix)
      : undefined;
  const name = dsl.names.orNext(options.name, operation.prefix);
  const table = new DerivedTable(from.changes, operation, materialized?.queryable ? materialized : undefined);
  const node = dsl.graph.create([from.node], name, {
    kind: 'processor',
    supplier: () => table.createSupplier(),
    stores: () => [...storesOf(dsl, operation.operator, materialized), ...(operation.broughtStores ?? [])],
    connect: () => operation.connectedStores ?? [],
  });
  const queryableStoreName = materialized && queryableName(materialized);
  return { kind: 'table', dsl, name, node, key, value, sources, changes: table, queryableStoreName };
}

function storesOf<K, R>(
  dsl: TableOrigin<K, R>['dsl'],
  operator: string,
  materialized: Materialized<K, R> | undefined,
): StoreBuilder[] {
  return materialized?.queryable ? [createTableStore(dsl, operator, materialized)] : [];
}
