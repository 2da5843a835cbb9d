import type { GraphNode } from './graph-node.ts';

/**
 * The repartition topics that must carry records without key: those above a join that takes such records. All others drop
 * them, as nothing below could use them.
 *
 * Source: Kafka Streams `NodesWithRelaxedNullKeyJoinDownstream` (KIP-962).
 */
export function nullKeyRepartitions(root: GraphNode): ReadonlySet<GraphNode> {
  const above = new Set<GraphNode>();
  const visited = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (visited.has(node)) return;
    visited.add(node);
    for (const child of node.children) {
      visit(child);
      if (child.traits.joinsNullKeys || above.has(child)) above.add(node);
    }
  };
  visit(root);
  return above;
}
