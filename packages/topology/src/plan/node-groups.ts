import type { TopologyDefinition } from '../builder/topology-definition.ts';
import type { GlobalStoreSpec, NodeSpec } from './specs.ts';
import { DisjointSets } from './disjoint-sets.ts';

/** One connected part of a topology, or a global store with its two nodes. */
export interface NodeGroup {
  readonly id: number;
  /** In the order of insertion. */
  readonly nodes: readonly NodeSpec[];
  /** Present when this is the group of a global store. */
  readonly globalStore: GlobalStoreSpec | undefined;
}

/**
 * Splits a topology into its connected parts. Nodes are connected by edges and by sharing a store; a topic between two nodes
 * does not connect them. Parts are numbered by their first source, global stores in the same sequence.
 *
 * Source: Kafka Streams `InternalTopologyBuilder.makeNodeGroups`.
 */
export function groupNodes(definition: TopologyDefinition): NodeGroup[] {
  const sets = connect(definition);
  const members = new Map<string, NodeSpec[]>();
  for (const node of definition.nodes) {
    const root = sets.rootOf(node.name);
    const group = members.get(root);
    if (group === undefined) members.set(root, [node]);
    else group.push(node);
  }
  const groups: NodeGroup[] = [];
  for (const source of definition.sourceOrder) {
    const globalStore = definition.globalStores.find((store) => store.source.name === source);
    const root = sets.rootOf(source);
    const nodes = globalStore === undefined ? members.get(root) : [globalStore.source, globalStore.processor];
    members.delete(root);
    if (nodes !== undefined) groups.push({ id: groups.length, nodes, globalStore });
  }
  return groups;
}

function connect(definition: TopologyDefinition): DisjointSets {
  const sets = new DisjointSets();
  for (const node of definition.nodes) {
    sets.add(node.name);
    if (node.kind !== 'source') for (const parent of node.parents) sets.unite(parent, node.name);
  }
  for (const { nodes } of definition.stores) {
    const [first] = nodes;
    if (first !== undefined) for (const node of nodes) sets.unite(first, node);
  }
  return sets;
}
