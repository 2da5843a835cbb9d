import type { GlobalStoreSpec, SubtopologyPlan, TopologyPlan } from '@millrace/topology';

/**
 * The global stores and the nodes that fill them, as a sub-topology of their own; their topics are their changelogs.
 * `undefined` when the topology has none.
 */
export function globalSubtopology({ globalStores }: Pick<TopologyPlan, 'globalStores'>): SubtopologyPlan | undefined {
  if (globalStores.length === 0) return undefined;
  return {
    id: -1,
    nodes: globalStores.flatMap(({ source, processor }) => [source, processor]),
    sourceTopics: globalStores.map(globalTopic),
    sourcePatterns: [],
    repartitionSources: [],
    repartitionSinks: [],
    sinkTopics: [],
    stores: globalStores.map((store) => ({
      builder: store.builder,
      nodes: [store.processor.name],
      sourceTopicAsChangelog: globalTopic(store),
    })),
    copartitionGroups: [],
  };
}

/** The topic of a global store. It has exactly one: patterns are refused when the topology is built. */
export function globalTopic({ source: { topics } }: GlobalStoreSpec): string {
  return topics instanceof RegExp ? topics.source : (topics[0] ?? '');
}
