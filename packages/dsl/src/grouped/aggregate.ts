import type { Serde } from '@millrace/core';
import type { Aggregation } from '../operators/aggregations.ts';
import { streamAggregateOperator } from '../operators/stream-aggregate.ts';
import { storedTableView } from '../operators/table-view.ts';
import { isMaterialized, type MaterializedOptions, resolveMaterialized, userStoreName } from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import type { TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { createTableStore } from '../table/source-table.ts';
import { addAggregation } from './add-aggregation.ts';
import type { GroupedOrigin } from './grouped-origin.ts';

export type AggregateOptions<K, A> = NamedOptions & MaterializedOptions<K, A>;

/** An aggregation as the user called it, for any kind of grouping. */
export interface AggregationCall<K, V, A> {
  readonly operator: 'count()' | 'reduce()' | 'aggregate()';
  readonly aggregation: Aggregation<K, V, A>;
  readonly options: AggregateOptions<K, A>;
  /** Serde of the result, if the user gives none. */
  readonly value: Serde<A> | undefined;
}

/** Names, store and serdes of an aggregation; takes the numbers that it needs. */
export function resolveAggregation<K, V, A>(grouped: GroupedOrigin<K, V>, call: AggregationCall<K, V, A>) {
  const { dsl } = grouped.stream;
  const { options } = call;
  const prefix = call.operator === 'reduce()' ? 'KSTREAM-REDUCE-' : 'KSTREAM-AGGREGATE-';
  burnNumberOfCount(dsl, call.operator, options);
  const resolved = resolveMaterialized(dsl, options, prefix);
  const name = dsl.names.orNext(options.name, prefix);
  const operator = options.name === undefined ? call.operator : `${call.operator} ${options.name}`;
  const key = requireSerde(dsl, 'key', options.key ?? grouped.key, operator);
  const value = requireSerde(dsl, 'value', options.value ?? call.value, operator);
  return { operator, name, key, value, materialized: { ...resolved, key, value } };
}

/** `count` with a store that is described but not named takes a number for nothing: Kafka Streams keeps old names that way. */
function burnNumberOfCount<K, A>(dsl: DslContext, operator: string, options: AggregateOptions<K, A>): void {
  const described = isMaterialized(options as MaterializedOptions<never, never>) && userStoreName(options) === undefined;
  if (operator === 'count()' && described) dsl.names.nextStore('KSTREAM-AGGREGATE-');
}

/** Aggregates per key. Source: Kafka Streams `KGroupedStreamImpl`. */
export function aggregateByKey<K, V, A>(grouped: GroupedOrigin<K, V>, call: AggregationCall<K, V, A>): TableOrigin<K, A> {
  const { operator, name, materialized, key, value } = resolveAggregation(grouped, call);
  const { storeName } = materialized;
  return addAggregation<K, V, K, A>(grouped, {
    operator,
    name,
    materialized,
    store: createTableStore(grouped.stream.dsl, operator, materialized),
    supplier: (sendOldValues) => streamAggregateOperator({ store: storeName, ...call.aggregation, sendOldValues }),
    view: storedTableView(storeName, materialized.historyRetentionMs),
    key,
    value,
  });
}
