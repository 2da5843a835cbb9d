import { ErrorCode, findCoordinator } from '@millrace/wire';
import { answering, type Handler } from '../server/handler.ts';
import type { ClusterView } from '../placement/cluster-view.ts';
import type { CoordinatedKind, Placement } from '../placement/placement.ts';
import type { InternalTopic } from '../topics/internal-topic.ts';

const BATCHED_VERSION = 4;

/** In the order of the key types. */
const kinds: readonly CoordinatedKind[] = ['group', 'transaction'];

export interface FindCoordinatorOptions {
  readonly cluster: () => ClusterView;
  readonly placement: Placement;
  /** By key type: groups, transactional ids. */
  readonly topics: readonly [offsets: InternalTopic, transactions: InternalTopic];
}

/** FindCoordinator: the node, as soon as the topic of the coordinator is there; asking for it makes it. */
export function findCoordinatorHandler({ cluster, placement, topics }: FindCoordinatorOptions): Handler {
  return answering(
    findCoordinator,
    ({ key, keyType, coordinatorKeys }, { apiVersion }) => {
      if (apiVersion < BATCHED_VERSION) return find(keyType, key);
      return { coordinators: coordinatorKeys.map((one) => ({ key: one, ...find(keyType, one) })) };
    },
    { max: BATCHED_VERSION },
  );

  function find(keyType: number, key: string) {
    const [topic, kind] = [topics[keyType], kinds[keyType]];
    if (topic === undefined || kind === undefined) return nowhere(ErrorCode.INVALID_REQUEST);
    if (topic.log === undefined) {
      topic.request();
      return nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }
    const nodeId = placement.coordinatorOf(kind, key);
    const found = cluster().nodes.find((node) => node.nodeId === nodeId);
    return found === undefined ? nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE) : { errorCode: ErrorCode.NONE, ...found };
  }
}

function nowhere(errorCode: number) {
  return { errorCode, nodeId: -1, host: '', port: -1 };
}
