import type { GraphNode, StreamJoinContent } from './graph-node.ts';
import type { LogicalGraph } from './logical-graph.ts';

/**
 * Gives each join of a stream with itself one store and one node instead of two and three.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.rewriteSingleStoreSelfJoin`. As there, left and outer joins are rewritten too,
 * and then give no results for records that have no key.
 */
export function rewriteSelfJoins(graph: LogicalGraph): void {
  for (const node of graph.operations) {
    const [parent] = node.parents;
    if (node.content.kind === 'stream-join' && parent !== undefined && node.parents.size === 1) {
      rewrite(graph, node, node.content, parent);
    }
  }
}

function rewrite(graph: LogicalGraph, node: GraphNode, join: StreamJoinContent, parent: GraphNode): void {
  const { left, right, selfJoin } = join;
  const superfluous = [...parent.children].find(({ name }) => name === right.windowed);
  if (superfluous !== undefined) graph.disconnect(parent, superfluous);
  node.content = { kind: 'self-join', supplier: selfJoin, windowed: left.windowed, store: left.store };
}
