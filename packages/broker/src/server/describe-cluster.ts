import { describeCluster, ErrorCode } from '@millrace/wire';
import { answering, type Handler } from './handler.ts';
import type { NodeAddress } from './node-address.ts';

const BROKERS = 1;

/** DescribeCluster: one node, which is also the controller. */
export function describeClusterHandler(node: () => NodeAddress): Handler {
  return answering(describeCluster, ({ endpointType }) => {
    const { clusterId, nodeId, host, port } = node();
    if (endpointType !== BROKERS) {
      return { errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage: 'this is a broker', clusterId, brokers: [] };
    }
    return {
      errorCode: ErrorCode.NONE,
      endpointType,
      clusterId,
      controllerId: nodeId,
      brokers: [{ brokerId: nodeId, host, port }],
    };
  });
}
