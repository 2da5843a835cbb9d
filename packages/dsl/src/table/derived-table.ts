import type { StoreBuilder } from '@millrace/state';
import type { NodeProcessorSupplier } from '@millrace/topology';
import { storedTableView, type TableView } from '../operators/table-view.ts';
import {
  isMaterialized,
  type Materialized,
  type MaterializedOptions,
  resolveMaterialized,
  userStoreName,
} from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { TableChanges, TableOrigin } from '../origin/origins.ts';
import { createTableStore } from './source-table.ts';

/** What one kind of derived table does. */
export interface DerivedTableOperation<V, K, R> {
  /** As the user wrote it. */
  readonly operator: string;
  readonly prefix: string;
  supplier(store: string | undefined, sendOldValues: boolean): NodeProcessorSupplier;
  /** Looks the rows up in the parent, and does the operation again. */
  view(parent: TableView<K, V>): TableView<K, R>;
  /** True when it is better to know old values, if the parent has them anyway. */
  readonly prefersOldValues: boolean;
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
  #sendOldValues: boolean;

  constructor(parent: TableChanges<K, V>, operation: DerivedTableOperation<V, K, R>, store: string | undefined) {
    this.#parent = parent;
    this.#operation = operation;
    this.#store = store;
    this.#sendOldValues = operation.prefersOldValues && parent.enableOldValues(false);
  }

  enableOldValues(force: boolean): boolean {
    if (this.#store !== undefined || this.#parent.enableOldValues(force)) this.#sendOldValues = true;
    return this.#sendOldValues;
  }

  view(): TableView<K, R> {
    return this.#store === undefined ? this.#operation.view(this.#parent.view()) : storedTableView(this.#store);
  }

  createSupplier(): NodeProcessorSupplier {
    return this.#operation.supplier(this.#store, this.#sendOldValues);
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
  // A store that is described but not named is not made, yet it takes a number.
  const materialized = isMaterialized(options as MaterializedOptions<never, never>)
    ? resolveMaterialized(dsl, { ...options, ...(key && { key }), ...(value && { value }) }, operation.prefix)
    : undefined;
  const name = dsl.names.orNext(options.name, operation.prefix);
  const table = new DerivedTable(from.changes, operation, userStoreName(options));
  const node = dsl.graph.create([from.node], name, {
    kind: 'processor',
    supplier: () => table.createSupplier(),
    stores: () => storesOf(dsl, operation.operator, materialized),
  });
  return { kind: 'table', dsl, name, node, key, value, sources, changes: table };
}

function storesOf<K, R>(
  dsl: TableOrigin<K, R>['dsl'],
  operator: string,
  materialized: Materialized<K, R> | undefined,
): StoreBuilder[] {
  return materialized?.queryable ? [createTableStore(dsl, operator, materialized)] : [];
}
