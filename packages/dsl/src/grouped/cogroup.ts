import { TopologyError, type Serde } from '@millrace/core';
import { passThroughOperator } from '../operators/pass-through.ts';
import type { Aggregator, Initializer, SessionMerger } from '../operators/callbacks.ts';
import { streamAggregateOperator } from '../operators/stream-aggregate.ts';
import { storedTableView } from '../operators/table-view.ts';
import { queryableName, resolveMaterialized } from '../options/materialized.ts';
import type { GraphNode, ProcessorContent } from '../graph/graph-node.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import type { TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { createTableStore } from '../table/source-table.ts';
import { groupedParent, groupedSources, StoredTable, windowTraits } from './add-aggregation.ts';
import type { AggregateOptions } from './aggregate.ts';
import type { AggregationShape, ResolvedAggregation } from './aggregation-shape.ts';
import type { GroupedOrigin } from './grouped-origin.ts';

/** Grouped streams of one key type, each with the function that adds its records to the common aggregate. */
export type CogroupInputs<K, A> = ReadonlyMap<GroupedOrigin<K, unknown>, Aggregator<K, unknown, A>>;

/** Adds an input; one that is there already gets the other function. */
export function withInput<K, V, A>(
  inputs: CogroupInputs<K, A>,
  grouped: GroupedOrigin<K, V>,
  aggregator: (aggregate: A, value: never, key: never) => A | undefined,
): CogroupInputs<K, A> {
  const input = grouped as unknown as GroupedOrigin<K, unknown>;
  return new Map([...inputs, [input, aggregator as Aggregator<K, unknown, A>]]);
}

/** `aggregate` of a cogroup as the user called it. */
export interface CogroupCall<K, A> {
  readonly initializer: Initializer<A>;
  readonly merger: SessionMerger<K, A>;
  readonly options: AggregateOptions<K, A>;
}

/** `aggregate`. */
export function cogroupCall<K, A>(
  initializer: Initializer<A>,
  options: AggregateOptions<K, A>,
  merger: SessionMerger<K, A> = later,
): CogroupCall<K, A> {
  return { initializer, merger, options };
}

/** Never called: only sessions merge, and they bring their own function. */
function later<A>(_earlier: A, merged: A): A {
  return merged;
}

/** Decides how the rows of a cogroup are kept, once its names and serdes are known. */
export type CogroupShaper<K, KR, A> = (resolved: ResolvedAggregation<K, A>, dsl: DslContext) => AggregationShape<K, KR, A>;

const PREFIX = 'COGROUPKSTREAM-AGGREGATE-';
const OPERATOR = 'aggregate() of a cogroup';

/** One row per key. */
export function keyShape<K, A>(resolved: ResolvedAggregation<K, A>, dsl: DslContext): AggregationShape<K, K, A> {
  const { operator, key, value, materialized } = resolved;
  const { storeName } = materialized;
  return {
    store: createTableStore(dsl, operator, materialized),
    view: storedTableView(storeName, materialized.historyRetentionMs),
    key,
    value,
    supplier: (aggregation, sendOldValues) => streamAggregateOperator({ store: storeName, ...aggregation, sendOldValues }),
  };
}

/**
 * Adds an aggregation of several grouped streams into one table: a node per stream, all of them over one store, and one that
 * merges what they send; and the repartition topics that they need.
 *
 * Source: Kafka Streams `CogroupedStreamAggregateBuilder`.
 */
export function addCogroup<K, KR, A>(
  inputs: CogroupInputs<K, A>,
  call: CogroupCall<K, A>,
  shapeOf: CogroupShaper<K, KR, A>,
): TableOrigin<KR, A> {
  const groups = [...inputs.keys()];
  const [{ stream }] = groups as [GroupedOrigin<K, unknown>];
  const { dsl } = stream;
  const resolved = resolveCogroup(dsl, groups, call.options);
  const shape = shapeOf(resolved, dsl);
  const parents = groups.map((grouped) => groupedParent(grouped, resolved));
  const sources = new Set(groups.flatMap((grouped, i) => [...groupedSources(grouped, parents[i] as GraphNode)]));
  if (groups.length > 1) dsl.graph.copartitionGroups.push(sources);
  const changes = new StoredTable(shape.view);
  const nodes = [...inputs.values()].map((aggregator, i) => {
    const name = dsl.names.suffixedOrNext(call.options.name, `-cogroup-agg-${i}`, PREFIX);
    const aggregation = { initializer: call.initializer, aggregator, merger: call.merger };
    const content: ProcessorContent = {
      kind: 'processor',
      supplier: () => shape.supplier(aggregation, changes.sendOldValues),
      stores: () => [shape.store],
    };
    return dsl.graph.create([parents[i] as GraphNode], name, content, windowTraits(shape));
  });
  const name = dsl.names.suffixedOrNext(call.options.name, '-cogroup-merge', 'COGROUPKSTREAM-MERGE-');
  const node = dsl.graph.create(nodes, name, { kind: 'processor', supplier: () => passThroughOperator() });
  const queryableStoreName = queryableName(resolved.materialized);
  return { kind: 'table', dsl, name, node, key: shape.key, value: shape.value, sources, changes, queryableStoreName };
}

function resolveCogroup<K, A>(
  dsl: DslContext,
  groups: readonly GroupedOrigin<K, unknown>[],
  options: AggregateOptions<K, A>,
): ResolvedAggregation<K, A> {
  const materialized = resolveMaterialized(dsl, options, PREFIX);
  const operator = options.name === undefined ? OPERATOR : `${OPERATOR} ${options.name}`;
  const known = groups.find((grouped) => grouped.key !== undefined)?.key;
  const key = requireSerde(dsl, 'key', options.key ?? known, operator);
  const value = requireSerde(dsl, 'value', options.value, operator);
  if (groups.some((grouped) => grouped.stream.dsl !== dsl)) {
    throw new TopologyError('FOREIGN_STREAM', `${operator}: the streams come from different builders; make them with one`);
  }
  return { operator, key, value: value as Serde<A>, materialized: { ...materialized, key, value } };
}
