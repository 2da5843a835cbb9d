import { ErrorCode, findCoordinator } from '@millrace/wire';
import { answering, type Handler } from '../server/handler.ts';
import type { NodeAddress } from '../server/node-address.ts';
import type { InternalTopic } from '../topics/internal-topic.ts';

const BATCHED_VERSION = 4;

export interface FindCoordinatorOptions {
  readonly node: () => NodeAddress;
  /** By key type: groups, transactional ids. */
  readonly topics: readonly [offsets: InternalTopic, transactions: InternalTopic];
}

/** FindCoordinator: this node, as soon as the topic of the coordinator is there; asking for it makes it. */
export function findCoordinatorHandler({ node, topics }: FindCoordinatorOptions): Handler {
  return answering(
    findCoordinator,
    ({ keyType, coordinatorKeys }, { apiVersion }) => {
      if (apiVersion < BATCHED_VERSION) return find(keyType);
      return { coordinators: coordinatorKeys.map((one) => ({ key: one, ...find(keyType) })) };
    },
    { max: BATCHED_VERSION },
  );

  function find(keyType: number) {
    const topic = topics[keyType];
    if (topic === undefined) return nowhere(ErrorCode.INVALID_REQUEST);
    if (topic.log === undefined) {
      topic.request();
      return nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }
    const { nodeId, host, port } = node();
    return { errorCode: ErrorCode.NONE, nodeId, host, port };
  }
}

function nowhere(errorCode: number) {
  return { errorCode, nodeId: -1, host: '', port: -1 };
}
