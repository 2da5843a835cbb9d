import type { TopologyPlan } from '@millrace/topology';
import { internalTopicName } from '../topics/topic-names.ts';

/** Topics whose records meet by key. Names are those on the broker. */
export interface ProbedGroup {
  /** Written by others: how they are partitioned is to be found out. */
  readonly foreign: readonly string[];
  /** Written by the application with the default partitioner. */
  readonly own: readonly string[];
}

/**
 * The groups of co-partitioned topics in which a topic may be partitioned unlike another. Repartition topics that have a partitioner of
 * their own are left out: whoever gave it to them knows what they are joined with. So are topics that match a pattern.
 */
export function probedGroups(plan: TopologyPlan, applicationId: string): ProbedGroup[] {
  const internal = new Set(plan.subtopologies.flatMap(({ repartitionSources }) => repartitionSources.map(({ name }) => name)));
  const custom = new Set<unknown>();
  for (const node of plan.subtopologies.flatMap(({ nodes }) => nodes)) {
    if (node.kind === 'sink' && node.partitioner !== undefined) custom.add(node.topic);
  }
  return plan.subtopologies
    .flatMap(({ copartitionGroups }) => copartitionGroups)
    .map((topics) => ({
      foreign: topics.filter((topic) => !internal.has(topic)),
      own: topics
        .filter((topic) => internal.has(topic) && !custom.has(topic))
        .map((topic) => internalTopicName(applicationId, topic)),
    }))
    .filter(({ foreign, own }) => foreign.length > 0 && foreign.length + own.length > 1);
}
