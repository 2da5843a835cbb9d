import type { Serde } from '@millrace/core';
import type { GraphNode } from '../graph/graph-node.ts';
import type { RecordMapper } from '../operators/callbacks.ts';
import { tableRepartitionMapOperator } from '../operators/table-repartition-map.ts';
import type { GroupedOptions } from '../options/operator-options.ts';
import { erased, type TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import type { DslContext } from '../origin/dsl-context.ts';

/** A table whose rows are grouped, before it is said what becomes of the groups. */
export interface GroupedTableOrigin<K, V> {
  readonly dsl: DslContext;
  /** The operation that maps rows to their groups. */
  readonly node: GraphNode;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** The user's name for the repartition topic. */
  readonly topicName: string | undefined;
  /** The repartition topic that aggregations of this group share, when the user named it. */
  repartition: GraphNode | undefined;
}

/**
 * `KTable.groupBy`. The table gets a store, if it has none: a row that changes must leave its old group.
 *
 * Source: Kafka Streams `KTableImpl.groupBy`.
 */
export function groupTable<K, V, K2, V2>(
  from: TableOrigin<K, V>,
  mapper: RecordMapper<K, V, K2 | undefined, V2 | undefined>,
  options: GroupedOptions<K2, V2>,
): GroupedTableOrigin<K2, V2> {
  const { dsl } = erased(from);
  const operator = options.name === undefined ? 'groupBy()' : `groupBy() ${options.name}`;
  const key = requireSerde(dsl, 'key', options.key, operator);
  const value = requireSerde(dsl, 'value', options.value, operator);
  const name = dsl.names.orNext(options.name, 'KTABLE-SELECT-');
  const supplier = tableRepartitionMapOperator({ mapper, key });
  const node = dsl.graph.create([from.node], name, { kind: 'processor', supplier: () => supplier });
  from.changes.enableOldValues(true);
  return { dsl, node, key, value, topicName: options.name, repartition: undefined };
}
