import { int64, type Serde } from '@millrace/core';
import { assertName } from '@millrace/topology';
import { createGraphNode, type GraphNode } from '../graph/graph-node.ts';
import type { Aggregator, Initializer, Reducer } from '../operators/callbacks.ts';
import { type TableAggregation, tableAggregateOperator } from '../operators/table-aggregate.ts';
import { storedTableView } from '../operators/table-view.ts';
import { queryableName, resolveMaterialized } from '../options/materialized.ts';
import type { TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { createTableStore } from '../table/source-table.ts';
import { StoredTable } from './add-aggregation.ts';
import type { AggregateOptions } from './aggregate.ts';
import { changeSerde } from './change-serde.ts';
import type { GroupedTableOrigin } from './grouped-table.ts';

/** An aggregation of a grouped table, as the user called it. */
export interface TableAggregationCall<K, V, A> {
  readonly operator: 'count()' | 'reduce()' | 'aggregate()';
  readonly aggregation: TableAggregation<K, V, A>;
  readonly options: AggregateOptions<K, A>;
  /** Serde of the result, if the user gives none. */
  readonly value: Serde<A> | undefined;
}

/** `count` of the rows in each group. */
export function tableCountCall<K, V>(options: AggregateOptions<K, number>): TableAggregationCall<K, V, number> {
  const aggregation = {
    initializer: () => 0,
    adder: (count: number) => count + 1,
    subtractor: (count: number) => count - 1,
  };
  return { operator: 'count()', aggregation, options, value: int64() };
}

/** `reduce`: a value that enters a group without aggregate becomes one, before the adder is ever called. */
export function tableReduceCall<K, V>(
  adder: Reducer<V>,
  subtractor: Reducer<V>,
  options: AggregateOptions<K, V>,
  value: Serde<V>,
): TableAggregationCall<K, V, V> {
  const aggregation: TableAggregation<K, V, V | undefined> = {
    initializer: () => undefined,
    adder: (aggregate, one) => (aggregate == null ? one : adder(aggregate, one)),
    subtractor: (aggregate, one) => subtractor(aggregate as V, one),
  };
  return { operator: 'reduce()', aggregation: aggregation as TableAggregation<K, V, V>, options, value };
}

/** `aggregate`. */
export function tableAggregateCall<K, V, A>(
  initializer: Initializer<A>,
  adder: Aggregator<K, V, A>,
  subtractor: Aggregator<K, V, A>,
  options: AggregateOptions<K, A>,
): TableAggregationCall<K, V, A> {
  return { operator: 'aggregate()', aggregation: { initializer, adder, subtractor }, options, value: undefined };
}

/**
 * Adds an aggregation below a grouped table, and the repartition topic in front of it.
 *
 * Source: Kafka Streams `KGroupedTableImpl.doAggregate`.
 */
export function aggregateTable<K, V, A>(
  grouped: GroupedTableOrigin<K, V>,
  call: TableAggregationCall<K, V, A>,
): TableOrigin<K, A> {
  const { dsl } = grouped;
  const { options, aggregation } = call;
  const operator = options.name === undefined ? call.operator : `${call.operator} ${options.name}`;
  const resolved = resolveMaterialized(dsl, options, 'KTABLE-AGGREGATE-');
  const { storeName } = resolved;
  const key = options.key ?? grouped.key;
  const value = requireSerde(dsl, 'value', options.value ?? call.value, operator);
  const topic = `${grouped.topicName ?? storeName}-repartition`;
  assertName(topic, 'repartition topic');
  const sink = dsl.names.suffixedOrNext(options.name, '-sink', 'KSTREAM-SINK-');
  const source = dsl.names.suffixedOrNext(options.name, '-source', 'KSTREAM-SOURCE-');
  const name = dsl.names.orNext(options.name, call.operator === 'reduce()' ? 'KTABLE-REDUCE-' : 'KTABLE-AGGREGATE-');
  const shared = grouped.topicName === undefined ? undefined : grouped.repartition;
  const repartition = dsl.graph.add([grouped.node], shared ?? createChangeTopic(grouped, topic, sink, source));
  grouped.repartition = repartition;
  const changes = new StoredTable(storedTableView<K, A>(storeName, resolved.historyRetentionMs));
  const node = dsl.graph.create([repartition], name, {
    kind: 'processor',
    supplier: () => tableAggregateOperator({ store: storeName, ...aggregation, sendOldValues: changes.sendOldValues }),
    stores: () => [createTableStore(dsl, operator, { ...resolved, key, value })],
  });
  const queryableStoreName = queryableName(resolved);
  return { kind: 'table', dsl, name, node, key, value, sources: new Set([repartition]), changes, queryableStoreName };
}

function createChangeTopic<K, V>(grouped: GroupedTableOrigin<K, V>, topic: string, sink: string, source: string): GraphNode {
  const value = grouped.value as Serde<unknown>;
  return createGraphNode(source, {
    kind: 'internal-topic',
    topic,
    sink,
    key: grouped.key as Serde<unknown>,
    value,
    changes: changeSerde(value),
    partitioner: undefined,
  });
}
