import { createGraphNode, type GraphNode, type NodeContent, type NodeTraits } from './graph-node.ts';

/**
 * The operations of a program as data.
 *
 * Source: Kafka Streams `InternalStreamsBuilder`.
 */
export class LogicalGraph {
  readonly root = createGraphNode('root', { kind: 'root' });
  /** Sets of source operations whose topics must have equal partition counts. */
  readonly copartitionGroups: ReadonlySet<GraphNode>[] = [];
  /** What became of sources that were merged into others. */
  readonly #replaced = new Map<GraphNode, GraphNode>();
  #nextPriority = 0;

  /** Adds an operation below others. One that is there already gets further parents, and comes later. */
  add(parents: readonly GraphNode[], node: GraphNode): GraphNode {
    node.priority = this.#nextPriority++;
    for (const parent of parents) {
      parent.children.add(node);
      node.parents.add(parent);
    }
    return node;
  }

  create(parents: readonly GraphNode[], name: string, content: NodeContent, traits: NodeTraits = {}): GraphNode {
    return this.add(parents, createGraphNode(name, content, traits));
  }

  /** Moves the children of one operation to another, which takes its place. */
  replace(node: GraphNode, by: GraphNode): void {
    for (const child of node.children) {
      child.parents.delete(node);
      child.parents.add(by);
      by.children.add(child);
    }
    for (const parent of node.parents) parent.children.delete(node);
    node.children.clear();
    this.#replaced.set(node, by);
  }

  /** The operation that stands for this one after rewriting. */
  current(node: GraphNode): GraphNode {
    let current = node;
    for (let by = this.#replaced.get(current); by !== undefined; by = this.#replaced.get(current)) current = by;
    return current;
  }
}
