import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import type { NodeProcessorSupplier } from '@millrace/topology';
import type { Aggregation } from '../operators/aggregations.ts';
import type { TableView } from '../operators/table-view.ts';
import type { Materialized } from '../options/materialized.ts';

/** What is decided of an aggregation before its shape is: names taken, serdes found. */
export interface ResolvedAggregation<K, A> {
  /** As the user wrote it, with its name when it has one. */
  readonly operator: string;
  readonly key: Serde<K>;
  readonly value: Serde<A>;
  readonly materialized: Materialized<K, A>;
}

/**
 * How records of a key become rows: by key alone, by window, by session; where they are kept, and by which operator. What each
 * record does to its row is not part of it: the inputs of a cogroup share a shape, and each has its own function.
 */
export interface AggregationShape<K, KR, A> {
  readonly store: StoreBuilder;
  readonly view: TableView<KR, A>;
  /** Serde of the rows' keys. */
  readonly key: Serde<KR>;
  readonly value: Serde<A>;
  /** See `NodeTraits.windowGraceMs`; absent without windows. */
  readonly windowGraceMs?: number;
  supplier<V>(aggregation: Aggregation<K, V, A>, sendOldValues: boolean): NodeProcessorSupplier;
}
