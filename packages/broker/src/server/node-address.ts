/** The one node of the cluster, as clients are told to reach it. */
export interface NodeAddress {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly host: string;
  /** Known once the server listens. */
  readonly port: number;
}
