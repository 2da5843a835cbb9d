import { int64, type Serde } from '@millrace/core';
import { countingAggregation, reducingAggregation } from '../operators/aggregations.ts';
import type { Initializer, Reducer, SessionMerger } from '../operators/callbacks.ts';
import type { AggregateOptions, AggregationCall } from './aggregate.ts';

/** `count`, for any kind of grouping. */
export function countCall<K, V>(options: AggregateOptions<K, number>): AggregationCall<K, V, number> {
  return { operator: 'count()', aggregation: countingAggregation<K, V>(), options, value: int64() };
}

/** `reduce`. Its types say that there is an aggregate, as the first value becomes one before the reducer is ever called. */
export function reduceCall<K, V>(
  reducer: (aggregate: NonNullable<V>, value: never) => V | undefined,
  options: AggregateOptions<K, V>,
  value: Serde<V> | undefined,
): AggregationCall<K, V, NonNullable<V>> {
  const aggregation = reducingAggregation<K, V>(reducer as Reducer<V>);
  return { operator: 'reduce()', aggregation, options, value } as unknown as AggregationCall<K, V, NonNullable<V>>;
}

/** `aggregate`. */
export function aggregateCall<K, V, A>(
  initializer: Initializer<A>,
  aggregator: (aggregate: A, value: never, key: never) => A | undefined,
  options: AggregateOptions<K, A>,
  merger: SessionMerger<K, A> = later,
): AggregationCall<K, V, A> {
  const aggregation = { initializer, aggregator: aggregator as (aggregate: A, value: V, key: K) => A | undefined, merger };
  return { operator: 'aggregate()', aggregation, options, value: undefined };
}

/** Never called: only sessions merge, and they bring their own function. */
function later<A>(_earlier: A, merged: A): A {
  return merged;
}
