import type { NodeSpec } from '../plan/specs.ts';
import { BalancedTree } from './balanced-tree.ts';
import { javaHashOrder } from './java-hash-order.ts';

/** A node with its neighbours in the order in which Kafka prints them. */
export class DescribedNode {
  readonly spec: NodeSpec;
  readonly predecessors = new BalancedTree<DescribedNode>(bySizeThenName);
  readonly successors = new BalancedTree<DescribedNode>(bySizeThenName);
  /** 1 + the sizes of all children: a node below two of them counts twice. */
  size = 1;

  constructor(spec: NodeSpec) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  grow(by: number): void {
    this.size += by;
    for (const predecessor of this.predecessors.values()) predecessor.grow(by);
  }
}

/** The larger sub-tree first. */
export function bySizeThenName(a: DescribedNode, b: DescribedNode): number {
  if (a === b) return 0;
  if (a.size !== b.size) return b.size - a.size;
  return a.name < b.name ? -1 : 1;
}

/**
 * Connects the nodes of a group in the order that Kafka does it in, as sizes grow meanwhile and neighbours are placed by the
 * size of that moment.
 *
 * Source: `InternalTopologyBuilder.describeSubtopology`.
 */
export function connectNodes(specs: readonly NodeSpec[]): DescribedNode[] {
  const nodes = new Map(specs.map((spec) => [spec.name, new DescribedNode(spec)]));
  for (const name of javaHashOrder(specs.map((spec) => spec.name))) {
    const node = nodes.get(name);
    if (node === undefined || node.spec.kind === 'source') continue;
    for (const parent of node.spec.parents) {
      const predecessor = nodes.get(parent);
      if (predecessor === undefined) continue;
      node.predecessors.add(predecessor);
      predecessor.successors.add(node);
      predecessor.grow(node.size);
    }
  }
  return [...nodes.values()];
}
