import type { GlobalStoreSpec, NodeSpec, RepartitionTopicSpec, StoreSpec } from '../plan/specs.ts';

/** Everything that was added to a topology, in the order in which it was added. Data only; nothing in it is checked again. */
export interface TopologyDefinition {
  readonly nodes: readonly NodeSpec[];
  readonly stores: readonly StoreSpec[];
  readonly globalStores: readonly GlobalStoreSpec[];
  readonly repartitionTopics: readonly RepartitionTopicSpec[];
  /** Sets of source node names whose topics must have equal partition counts. */
  readonly copartitionGroups: readonly (readonly string[])[];
  /**
   * Names of all source nodes, those of global stores among them, in the order in which they were added: it gives the
   * sub-topologies their ids.
   */
  readonly sourceOrder: readonly string[];
}
