import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import type { NodeProcessorSupplier } from '@millrace/topology';
import type { GraphNode, NodeTraits, ProcessorContent } from '../graph/graph-node.ts';
import type { TableView } from '../operators/table-view.ts';
import { type Materialized, queryableName } from '../options/materialized.ts';
import type { TableChanges, TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { createRepartition } from '../stream/repartition.ts';
import type { GroupedOrigin } from './grouped-origin.ts';

/** An aggregation with everything decided. */
export interface AggregationNode<KR, A> {
  readonly operator: string;
  readonly name: string;
  readonly materialized: Pick<Materialized<unknown, unknown>, 'storeName' | 'queryable'>;
  readonly store: StoreBuilder;
  supplier(sendOldValues: boolean): NodeProcessorSupplier;
  readonly view: TableView<KR, A>;
  readonly key: Serde<KR> | undefined;
  readonly value: Serde<A> | undefined;
  /** See `NodeTraits.windowGraceMs`; absent without windows. */
  readonly windowGraceMs?: number | undefined;
}

/** The changes of a table that always has a store. */
export class StoredTable<K, V> implements TableChanges<K, V> {
  readonly #view: TableView<K, V>;
  sendOldValues = false;

  constructor(view: TableView<K, V>) {
    this.#view = view;
  }

  get historyRetentionMs(): number | undefined {
    return this.#view.historyRetentionMs;
  }

  enableOldValues(): boolean {
    this.sendOldValues = true;
    return true;
  }

  view(): TableView<K, V> {
    return this.#view;
  }
}

/**
 * Adds an aggregation below a grouped stream, and the repartition topic that it needs.
 *
 * Source: Kafka Streams `GroupedStreamAggregateBuilder`.
 */
export function addAggregation<K, V, KR, A>(
  grouped: GroupedOrigin<K, V>,
  aggregation: AggregationNode<KR, A>,
): TableOrigin<KR, A> {
  const { dsl } = grouped.stream;
  const { name, store, key, value } = aggregation;
  const parent = groupedParent(grouped, aggregation);
  const changes = new StoredTable(aggregation.view);
  const content: ProcessorContent = {
    kind: 'processor',
    supplier: () => aggregation.supplier(changes.sendOldValues),
    stores: () => [store],
  };
  const node = dsl.graph.create([parent], name, content, windowTraits(aggregation));
  const queryableStoreName = queryableName(aggregation.materialized);
  return { kind: 'table', dsl, name, node, key, value, sources: groupedSources(grouped, parent), changes, queryableStoreName };
}

/** What rewriting the graph needs to know of an aggregation. */
export function windowTraits({ windowGraceMs }: { readonly windowGraceMs?: number | undefined }): NodeTraits {
  return windowGraceMs === undefined ? {} : { windowGraceMs };
}

/** The sources of what stands below a grouping. */
export function groupedSources<K, V>({ stream }: GroupedOrigin<K, V>, parent: GraphNode): ReadonlySet<GraphNode> {
  return parent === stream.node ? stream.sources : new Set([parent]);
}

/** The node below which a grouped stream is aggregated: its repartition topic, if keys have changed. */
export function groupedParent<K, V>(
  grouped: GroupedOrigin<K, V>,
  { operator, materialized }: Pick<AggregationNode<never, never>, 'operator' | 'materialized'>,
): GraphNode {
  const { stream, topicName } = grouped;
  const { dsl } = stream;
  if (!stream.repartitionRequired) return stream.node;
  // Made each time, even if it is not used: it takes numbers.
  const created = createRepartition(dsl, {
    prefix: topicName ?? materialized.storeName,
    key: requireSerde(dsl, 'key', grouped.key, operator) as Serde<unknown>,
    value: requireSerde(dsl, 'value', grouped.value, `the grouping before ${operator}`) as Serde<unknown>,
    optimizable: true,
  });
  const shared = topicName === undefined ? undefined : grouped.repartition;
  const node = dsl.graph.add([stream.node], shared ?? created);
  grouped.repartition = node;
  return node;
}
