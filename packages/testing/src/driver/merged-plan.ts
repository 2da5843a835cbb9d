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

/** The global stores with the nodes that fill them, as a sub-topology of their own; `undefined` when there are none. */
export function globalPlan({ globalStores }: TopologyPlan): SubtopologyPlan | undefined {
  if (globalStores.length === 0) return undefined;
  return {
    id: -1,
    nodes: globalStores.flatMap(({ source, processor }) => [source, processor]),
    sourceTopics: globalStores.flatMap(({ source }) => (source.topics instanceof RegExp ? [] : source.topics)),
    sourcePatterns: [],
    repartitionSources: [],
    repartitionSinks: [],
    sinkTopics: [],
    stores: globalStores.map(({ builder, processor }) => ({
      builder,
      nodes: [processor.name],
      sourceTopicAsChangelog: undefined,
    })),
    copartitionGroups: [],
  };
}
