import type { Aggregator, Initializer, Reducer, SessionMerger } from './callbacks.ts';

/** What an aggregating operator computes, whatever groups its records. */
export interface Aggregation<K, V, A> {
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Combines the aggregates of sessions that turned out to be one. */
  readonly merger: SessionMerger<K, A>;
}

/** `count`: a number per group. */
export function countingAggregation<K, V>(): Aggregation<K, V, number> {
  return { initializer: () => 0, aggregator: (count) => count + 1, merger: (a, b) => a + b };
}

/** `reduce`: the first value of a group is stored as it is; the reducer is called from the second on. */
export function reducingAggregation<K, V>(reducer: Reducer<V>): Aggregation<K, V, V | undefined> {
  const aggregator = (aggregate: V | undefined, value: V | undefined): V | undefined =>
    aggregate == null ? value : reducer(aggregate, value as V);
  return { initializer: () => undefined, aggregator, merger: aggregator };
}
