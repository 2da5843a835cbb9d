import type { Api, RequestInput, ResponseOf } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';

/** Asks every broker of the cluster the same, for what each coordinator knows only of its own. */
export async function askAllBrokers<A extends Api>(cluster: Cluster, api: A, body: RequestInput<A>): Promise<ResponseOf<A>[]> {
  await cluster.describe([]);
  return Promise.all(cluster.nodeIds.map((nodeId) => cluster.requests.send(api, nodeId, body, { lane: 'admin' })));
}
