import { TopologyError } from '@millrace/core';
import { matchesTopic } from '../builder/topic-pattern.ts';
import type { RepartitionTopicSpec, SubtopologyPlan, TopologyPlan } from './specs.ts';

/** How many partitions everything has. Names of internal topics are without the application prefix. */
export interface PartitionCounts {
  /** Per repartition topic. */
  readonly repartitionTopics: ReadonlyMap<string, number>;
  /** Per store that has a changelog of its own. */
  readonly changelogs: ReadonlyMap<string, number>;
  /** Per sub-topology id: its tasks are `<id>_0` to `<id>_<count − 1>`. */
  readonly tasks: ReadonlyMap<number, number>;
}

/**
 * Works out the partition counts of internal topics and the number of tasks from the counts of the topics that are there, and
 * checks that topics whose records meet have equal counts.
 *
 * @param externalTopics partition counts of all topics that sources read, those that match a pattern included; others are
 * ignored. Must not hold the application's internal topics
 * @throws TopologyError `SOURCE_TOPIC_MISSING`, `NOT_COPARTITIONED`, `PARTITION_COUNT_UNKNOWN`
 *
 * Source: Kafka Streams `RepartitionTopics`, `CopartitionedTopicsEnforcer`.
 */
export function resolvePartitionCounts(plan: TopologyPlan, externalTopics: ReadonlyMap<string, number>): PartitionCounts {
  assertSourcesExist(plan, externalTopics);
  const counts = new Map(externalTopics);
  const internal = new Map(plan.subtopologies.flatMap((part) => part.repartitionSources.map((topic) => [topic.name, topic])));
  for (const { name, partitions } of internal.values()) {
    if (partitions === undefined) counts.delete(name);
    else counts.set(name, partitions);
  }
  deriveRepartitionCounts(plan, internal, counts);
  for (const part of plan.subtopologies) {
    for (const group of copartitionGroupsOf(part, externalTopics)) enforceEqualCounts(group, internal, counts);
  }
  const tasks = new Map(plan.subtopologies.map((part) => [part.id, maxCount(sourcesOf(part, externalTopics), counts) ?? 0]));
  return {
    repartitionTopics: new Map([...internal.keys()].map((name) => [name, counts.get(name) ?? 0])),
    changelogs: changelogCounts(plan, tasks),
    tasks,
  };
}

function assertSourcesExist(plan: TopologyPlan, externalTopics: ReadonlyMap<string, number>): void {
  const missing = plan.subtopologies.flatMap(({ sourceTopics }) => sourceTopics.filter((topic) => !externalTopics.has(topic)));
  if (missing.length === 0) return;
  const names = [...new Set(missing)].join(', ');
  throw new TopologyError(
    'SOURCE_TOPIC_MISSING',
    `source topics do not exist: ${names}; create them before the application starts`,
  );
}

/**
 * A repartition topic has as many partitions as the largest topic read by the sub-topologies that write it. These may be
 * repartition topics themselves, so it takes several rounds.
 */
function deriveRepartitionCounts(
  plan: TopologyPlan,
  internal: ReadonlyMap<string, RepartitionTopicSpec>,
  counts: Map<string, number>,
): void {
  const open = new Set([...internal.keys()].filter((name) => !counts.has(name)));
  while (open.size > 0) {
    const before = open.size;
    for (const name of open) {
      const writers = plan.subtopologies.filter(({ repartitionSinks }) => repartitionSinks.includes(name));
      const count = maxCount(
        writers.flatMap((part) => sourcesOf(part, counts)),
        counts,
      );
      if (count === undefined) continue;
      counts.set(name, count);
      open.delete(name);
    }
    if (open.size === before) {
      throw new TopologyError(
        'PARTITION_COUNT_UNKNOWN',
        `the partition count of ${[...open].join(', ')} follows from nothing that the topology reads; give repartition() a number of partitions`,
      );
    }
  }
}

function enforceEqualCounts(
  group: readonly string[],
  internal: ReadonlyMap<string, RepartitionTopicSpec>,
  counts: Map<string, number>,
): void {
  const fixed = group.filter((topic) => !internal.has(topic));
  const derived = group.filter((topic) => internal.has(topic));
  const enforced = derived.filter((topic) => internal.get(topic)?.partitions !== undefined);
  const binding = [...fixed, ...enforced];
  const [first] = binding;
  for (const topic of binding) {
    if (first !== undefined && counts.get(topic) !== counts.get(first)) throwNotCopartitioned(first, topic, counts);
  }
  const count = first === undefined ? maxCount(derived, counts) : counts.get(first);
  if (count !== undefined) for (const topic of derived) counts.set(topic, count);
}

function throwNotCopartitioned(a: string, b: string, counts: ReadonlyMap<string, number>): never {
  throw new TopologyError(
    'NOT_COPARTITIONED',
    `${a} has ${counts.get(a)} partitions and ${b} has ${counts.get(b)}, but their records are joined or merged by key: ` +
      'give both topics the same number of partitions, or repartition() one of the streams',
  );
}

function copartitionGroupsOf(part: SubtopologyPlan, externalTopics: ReadonlyMap<string, number>): string[][] {
  return part.copartitionGroups.map((topics, index) => {
    const patterns = part.copartitionPatterns?.[index] ?? [];
    return [...new Set([...topics, ...matching(patterns, externalTopics)])];
  });
}

function sourcesOf(part: SubtopologyPlan, topics: ReadonlyMap<string, number>): string[] {
  return [...part.sourceTopics, ...part.repartitionSources.map(({ name }) => name), ...matching(part.sourcePatterns, topics)];
}

function matching(patterns: readonly RegExp[], topics: ReadonlyMap<string, number>): string[] {
  return [...topics.keys()].filter((topic) => patterns.some((pattern) => matchesTopic(pattern, topic)));
}

function maxCount(topics: readonly string[], counts: ReadonlyMap<string, number>): number | undefined {
  let max: number | undefined;
  for (const topic of topics) {
    const count = counts.get(topic);
    if (count !== undefined && (max === undefined || count > max)) max = count;
  }
  return max;
}

/** A changelog has one partition per task; a store that restores from a source topic has none. */
function changelogCounts(plan: TopologyPlan, tasks: ReadonlyMap<number, number>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of plan.subtopologies) {
    for (const { builder, sourceTopicAsChangelog } of part.stores) {
      if (builder.loggingEnabled && sourceTopicAsChangelog === undefined) counts.set(builder.name, tasks.get(part.id) ?? 0);
    }
  }
  return counts;
}
