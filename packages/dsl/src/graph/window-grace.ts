import { TopologyError } from '@millrace/core';
import type { GraphNode } from './graph-node.ts';

/**
 * How long after the end of its window a result of this operation can change, ms: the highest grace of the windows from which it
 * comes, all of which must be there.
 *
 * @throws TopologyError `NOT_WINDOWED` when it does not come from windows alone
 *
 * Source: Kafka Streams `GraphGraceSearchUtil`.
 */
export function windowGraceMs(node: GraphNode, path: readonly string[] = []): number {
  const { windowGraceMs: own } = node.traits;
  if (own !== undefined) return own;
  const below = [node.name, ...path];
  if (node.parents.size > 0) return Math.max(...[...node.parents].map((parent) => windowGraceMs(parent, below)));
  throw new TopologyError(
    'NOT_WINDOWED',
    `untilWindowCloses() is only possible for tables that come from windows; this one comes from ${below.join(' → ')}. ` +
      'Group by windows first, or use untilTimeLimit()',
  );
}
