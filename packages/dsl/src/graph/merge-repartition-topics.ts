import { FatalStreamsError } from '@millrace/core';
import { createGraphNode, type GraphNode, type RepartitionContent } from './graph-node.ts';
import type { LogicalGraph } from './logical-graph.ts';

/**
 * Makes one repartition topic, right below the operation that changes keys, of all that stand below it. It has the name of the
 * first one. A topic below an operation that changes values stays: its records are of another type.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.mergeRepartitionTopics`. Two cases in which the build fails there, two topics
 * below one filter and a merge below another, are merged here like all others. As there, one path from the key change to each
 * topic is moved: where a merge joins several, the others bypass the topic (docs/decisions/0028).
 */
export function mergeRepartitionTopics(graph: LogicalGraph): void {
  for (const [keyChange, below] of repartitionsByKeyChange(graph)) {
    // Below two merges, one above the other, a topic has been merged at the lower one already.
    const repartitions = [...below].filter((node) => graph.current(node) === node);
    const [first] = repartitions;
    if (first === undefined) continue;
    const merged = createMerged(first, keyChange.priority);
    for (const repartition of repartitions) moveBelow(graph, keyChange, merged, repartition);
    graph.connect(keyChange, merged);
  }
}

function moveBelow(graph: LogicalGraph, keyChange: GraphNode, merged: GraphNode, repartition: GraphNode): void {
  const branch = findUpwards(repartition, (node) => node.parents.has(keyChange) || node.parents.has(merged));
  if (branch === undefined) throw new FatalStreamsError('BUG', `${repartition.name} is not below ${keyChange.name}`);
  graph.disconnect(keyChange, branch);
  graph.connect(merged, branch);
  graph.dissolve(repartition, merged);
}

function createMerged(first: GraphNode, priority: number): GraphNode {
  const content = first.content as RepartitionContent;
  const { topic } = content;
  const node = createGraphNode(`${topic}-source`, { ...content, filter: `${topic}-filter`, sink: `${topic}-sink` });
  node.priority = priority;
  return node;
}

type RepartitionsByKeyChange = Map<GraphNode, ReadonlySet<GraphNode>>;

/** The repartition topics that may be merged, by the operation whose new keys they are there for. */
function repartitionsByKeyChange(graph: LogicalGraph): RepartitionsByKeyChange {
  const found = new Map<GraphNode, Set<GraphNode>>();
  for (const node of graph.operations) {
    if (node.traits.keyChanging) found.set(node, new Set());
    else if (node.content.kind === 'repartition' && node.content.optimizable && graph.current(node) === node) {
      const keyChange = keyChangeAbove(node);
      if (keyChange !== undefined) found.get(keyChange)?.add(node);
    }
  }
  return gatherBelowMerges(graph, found);
}

/** The nearest operation above that changes keys, unless one that changes values is nearer. */
function keyChangeAbove(node: GraphNode): GraphNode | undefined {
  const change = findUpwards(node, ({ traits }) => traits.keyChanging === true || traits.valueChanging === true);
  return change?.traits.keyChanging ? change : undefined;
}

/** Where streams with new keys are merged first, the topic belongs below the merge; below the lower one, if there are two. */
function gatherBelowMerges(graph: LogicalGraph, byKeyChange: RepartitionsByKeyChange): RepartitionsByKeyChange {
  const gathered: RepartitionsByKeyChange = new Map(byKeyChange);
  const merges = [...graph.operations].filter(({ traits }) => traits.merges).reverse();
  for (const merge of merges) {
    const repartitions = new Set<GraphNode>();
    for (const [keyChange, below] of byKeyChange) {
      const areBelowMerge = [...below].every((node) => findUpwards(node, ({ parents }) => parents.has(merge)) !== undefined);
      if (!areBelowMerge || findUpwards(merge, ({ parents }) => parents.has(keyChange)) === undefined) continue;
      for (const repartition of below) repartitions.add(repartition);
      gathered.delete(keyChange);
    }
    gathered.set(merge, repartitions);
  }
  return gathered;
}

/** The node itself or one above it: the parents of a node are asked before theirs, and the last parent's answer counts. */
function findUpwards(start: GraphNode, matches: (node: GraphNode) => boolean): GraphNode | undefined {
  if (matches(start)) return start;
  let found: GraphNode | undefined;
  for (const parent of start.parents) {
    if (matches(parent)) return parent;
    found = findUpwards(parent, matches);
  }
  return found;
}
