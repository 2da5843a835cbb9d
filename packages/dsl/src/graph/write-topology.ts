import { failOnInvalidTimestamp } from '@millrace/core';
import { Topology } from '@millrace/topology';
import { keyPresentFilterOperator } from '../operators/key-present-filter.ts';
import { passThroughOperator } from '../operators/pass-through.ts';
import type {
  GraphNode,
  InternalTopicContent,
  ProcessorContent,
  RepartitionContent,
  SelfJoinContent,
  StreamJoinContent,
  TableJoinContent,
  TableSourceContent,
} from './graph-node.ts';
import type { LogicalGraph } from './logical-graph.ts';
import { nullKeyRepartitions } from './null-key-repartitions.ts';

export interface WriteOptions {
  /** Lets the stores of `table()` restore from their topics: they get no changelogs. */
  readonly reusesSourceTopics: boolean;
}

/**
 * Writes the operations into a topology: each after its parents, otherwise in the order of the calls. The order decides the
 * numbers of sub-topologies, and the order in which a node forwards to its children.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.buildAndOptimizeTopology`.
 */
export function writeTopology(graph: LogicalGraph, options: WriteOptions): Topology {
  const topology = new Topology();
  const keepingNullKeys = nullKeyRepartitions(graph.root);
  const written = new Set<GraphNode>([graph.root]);
  const ready = [...graph.root.children];
  // Stores first: a processor may name one that the program adds later.
  for (const { content } of ready) if (content.kind === 'store') topology.addStateStore(content.builder);
  while (ready.length > 0) {
    const node = takeFirst(ready);
    if (written.has(node) || ![...node.parents].every((parent) => written.has(parent))) continue;
    writeNode(topology, node, { ...options, keepsNullKeys: keepingNullKeys.has(node) });
    written.add(node);
    ready.push(...node.children);
  }
  for (const group of graph.copartitionGroups) {
    topology.copartitionSources([...group].map((node) => sourceName(graph.current(node))));
  }
  return topology;
}

function takeFirst(nodes: GraphNode[]): GraphNode {
  let first = 0;
  for (let i = 1; i < nodes.length; i++) {
    if ((nodes[i] as GraphNode).priority < (nodes[first] as GraphNode).priority) first = i;
  }
  return nodes.splice(first, 1)[0] as GraphNode;
}

function sourceName(node: GraphNode): string {
  return node.content.kind === 'table-source' ? node.content.source.name : node.name;
}

interface WriteNodeOptions extends WriteOptions {
  readonly keepsNullKeys: boolean;
}

function writeNode(topology: Topology, node: GraphNode, { keepsNullKeys, reusesSourceTopics }: WriteNodeOptions): void {
  const parents = [...node.parents].map(({ name }) => name);
  const { content } = node;
  switch (content.kind) {
    case 'root':
    case 'store':
      return;
    case 'source':
      topology.addSourceSpec(content.spec);
      return;
    case 'table-source':
      writeTableSource(topology, node.name, content, reusesSourceTopics);
      return;
    case 'global-store':
      topology.addGlobalStoreSpec(content.spec());
      return;
    case 'processor':
      writeProcessor(topology, node.name, content, parents);
      return;
    case 'repartition':
      writeRepartition(topology, node.name, content, parents, keepsNullKeys);
      return;
    case 'internal-topic':
      writeInternalTopic(topology, node.name, content, parents);
      return;
    case 'stream-join':
      writeStreamJoin(topology, node.name, content);
      return;
    case 'self-join':
      writeSelfJoin(topology, node.name, content);
      return;
    case 'table-join':
      writeTableJoin(topology, node.name, content);
      return;
    case 'sink':
      topology.addSinkSpec({ ...content.spec, parents });
  }
}

function writeTableSource(topology: Topology, name: string, content: TableSourceContent, reusesTopic: boolean): void {
  const { topics } = content.source;
  topology.addSourceSpec({ ...content.source, feedsTable: true });
  topology.addNode(name, content.supplier(), [content.source.name]);
  for (const builder of content.stores()) {
    topology.addStateStore(builder, [name]);
    if (reusesTopic && !(topics instanceof RegExp)) topology.useSourceTopicAsChangelog(builder.name, topics[0] as string);
  }
}

function writeProcessor(topology: Topology, name: string, content: ProcessorContent, parents: readonly string[]): void {
  topology.addNode(name, content.supplier(), parents);
  for (const builder of content.stores?.() ?? []) topology.addStateStore(builder, [name]);
  topology.connectProcessorAndStateStores(name, content.connect?.() ?? []);
}

function writeRepartition(
  topology: Topology,
  source: string,
  content: RepartitionContent,
  parents: readonly string[],
  keepsNullKeys: boolean,
): void {
  const { topic, filter, sink, key, value, partitions, partitioner } = content;
  topology.addRepartitionTopic(topic, partitions);
  topology.addNode(filter, keepsNullKeys ? passThroughOperator() : keyPresentFilterOperator(), parents);
  topology.addSinkSpec({ kind: 'sink', name: sink, topic, keySerde: key, valueSerde: value, partitioner, parents: [filter] });
  topology.addSourceSpec({
    kind: 'source',
    name: source,
    topics: [topic],
    keySerde: key,
    valueSerde: value,
    timestampExtractor: failOnInvalidTimestamp,
    offsetReset: undefined,
  });
}

function writeInternalTopic(topology: Topology, name: string, content: InternalTopicContent, parents: readonly string[]): void {
  const { topic, sink, key: keySerde, value: valueSerde, changes: changeSerde, partitioner } = content;
  topology.addRepartitionTopic(topic);
  topology.addSinkSpec({ kind: 'sink', name: sink, topic, keySerde, valueSerde, changeSerde, partitioner, parents });
  topology.addSourceSpec({
    kind: 'source',
    name,
    topics: [topic],
    keySerde,
    valueSerde,
    changeSerde,
    timestampExtractor: failOnInvalidTimestamp,
    offsetReset: undefined,
  });
}

function writeStreamJoin(topology: Topology, merge: string, { left, right, outerStore }: StreamJoinContent): void {
  topology.addNode(left.name, left.supplier, [left.windowed]);
  topology.addNode(right.name, right.supplier, [right.windowed]);
  topology.addNode(merge, passThroughOperator(), [left.name, right.name]);
  topology.addStateStore(left.store, [left.windowed, right.name]);
  topology.addStateStore(right.store, [right.windowed, left.name]);
  if (outerStore !== undefined) topology.addStateStore(outerStore, [left.name, right.name]);
}

function writeSelfJoin(topology: Topology, name: string, { supplier, windowed, store }: SelfJoinContent): void {
  topology.addNode(name, supplier, [windowed]);
  topology.addStateStore(store, [windowed, name]);
}

function writeTableJoin(topology: Topology, merge: string, { left, right, supplier, stores }: TableJoinContent): void {
  for (const side of [left, right]) topology.addNode(side.name, side.supplier(), [side.parent]);
  topology.addNode(merge, supplier(), [left.name, right.name]);
  for (const side of [left, right]) topology.connectProcessorAndStateStores(side.name, side.connect);
  for (const builder of stores()) topology.addStateStore(builder, [merge]);
}
