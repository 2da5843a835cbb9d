import type { StoreBuilder } from '@millrace/state';
import type { Joiner } from '../operators/callbacks.ts';
import { type TableJoinKind, tableJoinOperator } from '../operators/table-join.ts';
import { tableJoinMergeOperator } from '../operators/table-join-merge.ts';
import { joinedTableView } from '../operators/table-join-view.ts';
import { storedTableView, type TableView } from '../operators/table-view.ts';
import { type Materialized, type MaterializedOptions, resolveMaterialized } from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import { copartition, erased, type TableChanges, type TableOrigin } from '../origin/origins.ts';
import { createTableStore } from './source-table.ts';

export type JoinTablesOptions<K, Out> = NamedOptions & MaterializedOptions<K, Out>;

/** `join`, `leftJoin` or `outerJoin` of two tables, with sides that can be missing given as absent. */
export interface JoinTablesDefinition<K, L, R, Out> {
  readonly kind: TableJoinKind;
  readonly joiner: Joiner<K, L | undefined, R | undefined, Out>;
  readonly options: JoinTablesOptions<K, Out>;
}

/**
 * The result of a join of two tables.
 *
 * Source: Kafka Streams `KTableKTableJoinMerger`.
 */
class JoinedTable<K, L, R, Out> implements TableChanges<K, Out> {
  readonly #left: TableChanges<K, L>;
  readonly #right: TableChanges<K, R>;
  readonly #view: TableView<K, Out>;
  sendOldValues = false;

  constructor(left: TableChanges<K, L>, right: TableChanges<K, R>, view: TableView<K, Out>) {
    this.#left = left;
    this.#right = right;
    this.#view = view;
  }

  get historyRetentionMs(): number | undefined {
    return this.#view.historyRetentionMs;
  }

  enableOldValues(): boolean {
    // Both sides have stores: they are looked up.
    this.#left.enableOldValues(true);
    this.#right.enableOldValues(true);
    this.sendOldValues = true;
    return true;
  }

  view(): TableView<K, Out> {
    return this.#view;
  }
}

/**
 * Adds a join of two tables with the same keys. Both get stores, if they have none.
 *
 * Source: Kafka Streams `KTableImpl.doJoin`, `KTableKTableJoinNode`.
 */
export function addTableJoin<K, L, R, Out>(
  left: TableOrigin<K, L>,
  right: TableOrigin<K, R>,
  { kind, joiner, options }: JoinTablesDefinition<K, L, R, Out>,
): TableOrigin<K, Out> {
  const { dsl } = left;
  const key = options.key ?? left.key;
  const materialized = describesStore(options)
    ? resolveMaterialized(dsl, { ...options, ...(key && { key }) }, 'KTABLE-MERGE-')
    : undefined;
  const name = dsl.names.orNext(options.name, 'KTABLE-MERGE-');
  const sources = copartition(erased(left), erased(right));
  if (kind !== 'inner') left.changes.enableOldValues(true);
  if (kind === 'outer') right.changes.enableOldValues(true);
  const leftView = left.changes.view();
  const rightView = right.changes.view();
  const joined = { kind, left: leftView, right: rightView, joiner };
  const store = materialized?.storeName;
  const changes = new JoinedTable(
    left.changes,
    right.changes,
    store === undefined ? joinedTableView(joined) : storedTableView<K, Out>(store, materialized?.historyRetentionMs),
  );
  const operator = operatorText(kind, options.name);
  const supplier = (side: 'left' | 'right', other: TableView<K, L | R>) =>
    tableJoinOperator<K, L, R, Out>({ kind, side, other, joiner, sendOldValues: changes.sendOldValues });
  const node = dsl.graph.create([left.node, right.node], name, {
    kind: 'table-join',
    left: {
      name: dsl.names.suffixedOrNext(options.name, '-join-this', 'KTABLE-JOINTHIS-'),
      parent: left.name,
      supplier: () => supplier('left', rightView),
      connect: rightView.stores,
    },
    right: {
      name: dsl.names.suffixedOrNext(options.name, '-join-other', 'KTABLE-JOINOTHER-'),
      parent: right.name,
      supplier: () => supplier('right', leftView),
      connect: leftView.stores,
    },
    supplier: () => tableJoinMergeOperator({ store, sendOldValues: changes.sendOldValues }),
    stores: () => storesOf(dsl, operator, materialized),
  });
  return { kind: 'table', dsl, name, node, key, value: options.value, sources, changes, queryableStoreName: store };
}

/** Unlike other tables made of tables, a join has a store also when the user describes one without naming it. */
function describesStore<K, Out>({ store, caching, logging, versioned, retention, inMemory }: JoinTablesOptions<K, Out>): boolean {
  return [store, caching, logging, versioned, retention, inMemory].some((option) => option !== undefined);
}

function operatorText(kind: TableJoinKind, name: string | undefined): string {
  const operator = kind === 'inner' ? 'join()' : `${kind}Join()`;
  return name === undefined ? operator : `${operator} ${name}`;
}

function storesOf<K, Out>(dsl: DslContext, operator: string, materialized: Materialized<K, Out> | undefined): StoreBuilder[] {
  return materialized === undefined ? [] : [createTableStore(dsl, operator, materialized)];
}
