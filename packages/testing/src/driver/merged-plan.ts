import type { SubtopologyPlan, TopologyPlan } from '@millrace/topology';

/**
 * All sub-topologies as one, so that a single task runs them; they still talk to each other through their repartition topics.
 *
 * Source: Kafka Streams `TopologyTestDriver`, which does the same.
 */
export function mergedPlan({ subtopologies }: TopologyPlan): SubtopologyPlan {
  return {
    id: 0,
    nodes: subtopologies.flatMap(({ nodes }) => nodes),
    sourceTopics: subtopologies.flatMap(({ sourceTopics }) => sourceTopics),
    sourcePatterns: subtopologies.flatMap(({ sourcePatterns }) => sourcePatterns),
    repartitionSources: subtopologies.flatMap(({ repartitionSources }) => repartitionSources),
    repartitionSinks: subtopologies.flatMap(({ repartitionSinks }) => repartitionSinks),
    sinkTopics: subtopologies.flatMap(({ sinkTopics }) => sinkTopics),
    stores: subtopologies.flatMap(({ stores }) => stores),
    copartitionGroups: subtopologies.flatMap(({ copartitionGroups }) => copartitionGroups),
  };
}
