import { SettingsError } from '@millrace/core';

const OPTIMIZATIONS = ['merge.repartition.topics', 'reuse.ktable.source.topics', 'single.store.self.join'] as const;

/**
 * One way to spare topics or stores:
 *
 * - `merge.repartition.topics`: one repartition topic for everything below an operation that changes keys. As in Kafka Streams
 *   (KAFKA-19668), `process`, `processValues` and joins with global tables do not count as changing values: leave it out where
 *   they stand between a key change and a grouping and make values of another type. Where a stream with new keys is grouped, and
 *   merged with others before another grouping, some of those bypass the topic, as in Kafka Streams: docs/decisions/0028
 * - `reuse.ktable.source.topics`: the store of `table()` restores from its topic and needs no changelog. The serdes must write
 *   what they have read: restoring loads the topic's bytes
 * - `single.store.self.join`: a join of a stream with itself keeps its records once
 */
export type Optimization = (typeof OPTIMIZATIONS)[number];

/**
 * Which optimisations the topology is built with. Each changes the names of topics, or which there are: for an application
 * that has run before, choosing others means to begin anew.
 */
export type OptimizationChoice = 'all' | 'none' | readonly Optimization[];

/** @throws SettingsError `INVALID_OPTIMIZATION` */
export function resolveOptimization(choice: OptimizationChoice): ReadonlySet<Optimization> {
  if (choice === 'none') return new Set();
  if (choice === 'all') return new Set(OPTIMIZATIONS);
  const list: readonly string[] = typeof choice === 'string' ? [choice] : choice;
  const unknown = list.filter((name) => !OPTIMIZATIONS.includes(name as Optimization));
  if (unknown.length === 0) return new Set(list as readonly Optimization[]);
  throw new SettingsError(
    'INVALID_OPTIMIZATION',
    `there is no optimization ${unknown.join(', ')}; give "all", "none", or a list of ${OPTIMIZATIONS.join(', ')}`,
  );
}
