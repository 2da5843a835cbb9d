import type { TopologyDefinition } from '../builder/topology-definition.ts';
import { groupNodes } from './node-groups.ts';
import type { NodeSpec, RepartitionTopicSpec, SinkSpec, SourceSpec, SubtopologyPlan, TopologyPlan } from './specs.ts';

/**
 * Cuts a topology into sub-topologies, and says for each which topics it reads and writes and which stores it has.
 *
 * Pure: the same definition gives the same plan.
 */
export function planTopology(definition: TopologyDefinition): TopologyPlan {
  const subtopologies: SubtopologyPlan[] = [];
  for (const group of groupNodes(definition)) {
    if (group.globalStore === undefined) subtopologies.push(planSubtopology(group.id, group.nodes, definition));
  }
  return { subtopologies, globalStores: definition.globalStores };
}

function planSubtopology(id: number, nodes: readonly NodeSpec[], definition: TopologyDefinition): SubtopologyPlan {
  const internal = new Map(definition.repartitionTopics.map((topic) => [topic.name, topic]));
  const sources = nodes.filter((node) => node.kind === 'source');
  const read = sources.flatMap(({ topics }) => (topics instanceof RegExp ? [] : topics));
  const written = [...new Set(nodes.filter((node) => node.kind === 'sink').flatMap(fixedTopic))];
  const names = new Set(nodes.map(({ name }) => name));
  const groups = definition.copartitionGroups
    .map((group) => sources.filter(({ name }) => group.includes(name)))
    .filter((group) => group.length > 0);
  return {
    id,
    nodes,
    sourceTopics: read.filter((topic) => !internal.has(topic)),
    sourcePatterns: sources.flatMap(({ topics }) => (topics instanceof RegExp ? [topics] : [])),
    repartitionSources: read
      .map((topic) => internal.get(topic))
      .filter((topic): topic is RepartitionTopicSpec => topic !== undefined),
    repartitionSinks: written.filter((topic) => internal.has(topic)),
    sinkTopics: written.filter((topic) => !internal.has(topic)),
    stores: definition.stores.filter((store) => store.nodes.some((node) => names.has(node))),
    copartitionGroups: groups.map((group) => topicsOf(group)),
    copartitionPatterns: groups.map((group) => group.flatMap(({ topics }) => (topics instanceof RegExp ? [topics] : []))),
  };
}

function fixedTopic(sink: SinkSpec): string[] {
  return typeof sink.topic === 'string' ? [sink.topic] : [];
}

function topicsOf(sources: readonly SourceSpec[]): string[] {
  return [...new Set(sources.flatMap(({ topics }) => (topics instanceof RegExp ? [] : topics)))];
}
