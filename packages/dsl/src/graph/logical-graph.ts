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
  readonly #operations = new Set<GraphNode>();
  #nextPriority = 0;

  /** Every operation that was ever added, in the order in which it was added first. */
  get operations(): ReadonlySet<GraphNode> {
    return this.#operations;
  }

  /** Adds an operation below others. One that is there already gets further parents, and comes later. */
  add(parents: readonly GraphNode[], node: GraphNode): GraphNode {
    node.priority = this.#nextPriority++;
    this.#operations.add(node);
    for (const parent of parents) this.connect(parent, node);
    return node;
  }

  create(parents: readonly GraphNode[], name: string, content: NodeContent, traits: NodeTraits = {}): GraphNode {
    return this.add(parents, createGraphNode(name, content, traits));
  }

  connect(parent: GraphNode, child: GraphNode): void {
    parent.children.add(child);
    child.parents.add(parent);
  }

  disconnect(parent: GraphNode, child: GraphNode): void {
    parent.children.delete(child);
    child.parents.delete(parent);
  }

  /** Moves the children of one operation to another, which takes its place. */
  replace(node: GraphNode, by: GraphNode): void {
    for (const child of [...node.children]) {
      this.disconnect(node, child);
      this.connect(by, child);
    }
    for (const parent of [...node.parents]) this.disconnect(parent, node);
    this.#replaced.set(node, by);
  }

  /** Takes an operation out: its children come below its parents. Another one, elsewhere, does its work from now on. */
  dissolve(node: GraphNode, by: GraphNode): void {
    const parents = [...node.parents];
    for (const child of [...node.children]) {
      this.disconnect(node, child);
      for (const parent of parents) this.connect(parent, child);
    }
    for (const parent of parents) this.disconnect(parent, node);
    this.#replaced.set(node, by);
  }

  /** The operation that stands for this one after rewriting. */
  current(node: GraphNode): GraphNode {
    let current = node;
    for (let by = this.#replaced.get(current); by !== undefined; by = this.#replaced.get(current)) current = by;
    return current;
  }
}
