import { TopologyError } from '@millrace/core';
import type { NodeSpec } from '../plan/specs.ts';

/** The nodes of a topology by name. Parents are there before their children, so there can be no cycle. */
export class NodeRegistry {
  readonly #nodes = new Map<string, NodeSpec>();
  /** Names that nodes elsewhere have: those of global stores. */
  readonly #reserved = new Set<string>();

  /** @throws TopologyError when the name is taken, or a parent is missing or cannot have children */
  add(node: NodeSpec): void {
    this.assertFree(node.name);
    if (node.kind !== 'source') this.#assertParents(node.name, node.parents);
    this.#nodes.set(node.name, node);
  }

  reserve(name: string): void {
    this.assertFree(name);
    this.#reserved.add(name);
  }

  assertFree(name: string): void {
    if (!this.#nodes.has(name) && !this.#reserved.has(name)) return;
    throw new TopologyError('NODE_EXISTS', `the topology has a node named ${name} already; give one of the two another name`, {
      node: name,
    });
  }

  /** @throws TopologyError `NOT_A_PROCESSOR` unless a processor has that name */
  assertProcessor(name: string, store: string): void {
    const node = this.#nodes.get(name);
    if (node?.kind === 'processor') return;
    const found = node === undefined ? 'is not added yet' : `is a ${node.kind}`;
    throw new TopologyError(
      'NOT_A_PROCESSOR',
      `store ${store} cannot be connected to ${name}, which ${found}; connect it to a processor`,
      {
        node: name,
        store,
      },
    );
  }

  get all(): NodeSpec[] {
    return [...this.#nodes.values()];
  }

  #assertParents(name: string, parents: readonly string[]): void {
    if (parents.length === 0) {
      throw new TopologyError('NO_PARENT', `node ${name} has no parent; name at least one source or processor`, { node: name });
    }
    for (const parent of parents) {
      const found = this.#nodes.get(parent);
      if (parent === name) throw new TopologyError('OWN_PARENT', `node ${name} cannot be its own parent`, { node: name });
      if (found === undefined) {
        throw new TopologyError('UNKNOWN_PARENT', `parent ${parent} of node ${name} is not added yet; add it first`, {
          node: name,
        });
      }
      if (found.kind === 'sink') {
        throw new TopologyError('SINK_AS_PARENT', `parent ${parent} of node ${name} is a sink; sinks have no children`, {
          node: name,
        });
      }
    }
  }
}
