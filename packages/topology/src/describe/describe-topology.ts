import type { TopologyDefinition } from '../builder/topology-definition.ts';
import { groupNodes, type NodeGroup } from '../plan/node-groups.ts';
import type { SinkSpec, SourceSpec } from '../plan/specs.ts';
import { bySizeThenName, connectNodes, type DescribedNode } from './described-node.ts';

/**
 * The text of Kafka Streams' `Topology.describe().toString()`, to the letter but for the order of names in
 * `(topics: […])` and `(stores: […])`, which there is that of a hash set.
 */
export function describeTopology(definition: TopologyDefinition): string {
  const blocks = groupNodes(definition).map((group) => `  ${describeGroup(group, definition)}`);
  return `Topologies:\n ${blocks.join('')}`;
}

function describeGroup(group: NodeGroup, definition: TopologyDefinition): string {
  if (group.globalStore !== undefined) return describeGlobalStore(group);
  const nodes = connectNodes(group.nodes).sort(bySizeThenName);
  const lines = nodes.map((node) => `    ${describeNode(node, storesOf(node.name, definition))}\n`);
  return `Sub-topology: ${group.id}\n${lines.join('')}\n`;
}

function describeGlobalStore({ id, globalStore }: NodeGroup): string {
  if (globalStore === undefined) return '';
  const { source, processor, builder } = globalStore;
  return (
    `Sub-topology: ${id} for global store (will not generate tasks)\n` +
    `    Source: ${source.name} (${topicsOf(source)})\n      --> ${processor.name}\n` +
    `    Processor: ${processor.name} (stores: [${builder.name}])\n      --> none\n      <-- ${source.name}\n`
  );
}

function describeNode(node: DescribedNode, stores: readonly string[]): string {
  const { spec } = node;
  const below = `\n      --> ${namesOf(node.successors.values())}`;
  const above = `\n      <-- ${namesOf(node.predecessors.values())}`;
  switch (spec.kind) {
    case 'source':
      return `Source: ${spec.name} (${topicsOf(spec)})${below}`;
    case 'processor':
      return `Processor: ${spec.name} (stores: [${stores.join(', ')}])${below}${above}`;
    case 'sink':
      return `Sink: ${spec.name} (${targetOf(spec)})${above}`;
  }
}

function topicsOf(source: SourceSpec): string {
  return source.topics instanceof RegExp ? `topics: ${source.topics.source}` : `topics: [${source.topics.join(', ')}]`;
}

function targetOf(sink: SinkSpec): string {
  if (typeof sink.topic === 'string') return `topic: ${sink.topic}`;
  return `extractor class: ${sink.topic.name === '' ? 'anonymous' : sink.topic.name}`;
}

function storesOf(node: string, definition: TopologyDefinition): string[] {
  return definition.stores.filter(({ nodes }) => nodes.includes(node)).map(({ builder }) => builder.name);
}

function namesOf(nodes: readonly DescribedNode[]): string {
  return nodes.length === 0 ? 'none' : nodes.map(({ name }) => name).join(', ');
}
