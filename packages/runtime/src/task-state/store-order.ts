import type { NodeSpec, StoreSpec } from '@millrace/topology';

/**
 * The stores in the order in which their first node stands in the topology. A node stands behind its parents, so that
 * flushing the caches in this order reaches the stores that a flush writes to after it.
 */
export function inNodeOrder(stores: readonly StoreSpec[], nodes: readonly NodeSpec[]): StoreSpec[] {
  const positions = new Map(nodes.map((node, index) => [node.name, index]));
  const firstNode = (store: StoreSpec): number => Math.min(...store.nodes.map((node) => positions.get(node) ?? Infinity));
  return stores
    .map((store) => ({ store, first: firstNode(store) }))
    .sort((a, b) => compare(a.first, b.first))
    .map(({ store }) => store);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/**
 * How often the caches have to be flushed until nothing is held back: a store with several nodes may be written to by a
 * flush that comes after its own.
 */
export function flushPasses(stores: readonly StoreSpec[]): number {
  const shared = stores.filter((store) => store.nodes.length > 1).length;
  return Math.min(stores.length, shared + 1);
}
