/** A node, as clients are told to reach it. */
export interface NodeAddress {
  readonly nodeId: number;
  readonly host: string;
  /** Known once the node listens. */
  readonly port: number;
}

/** The cluster as clients see it. */
export interface ClusterView {
  readonly clusterId: string;
  /** The first one is the controller. */
  readonly nodes: readonly NodeAddress[];
}

/** The node that decides about topics. */
export function controllerOf({ nodes }: ClusterView): NodeAddress {
  return nodes[0] as NodeAddress;
}
