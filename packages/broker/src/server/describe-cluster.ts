import { describeCluster, ErrorCode } from '@millrace/wire';
import { answering, type Handler } from './handler.ts';
import { type ClusterView, controllerOf } from '../placement/cluster-view.ts';

const BROKERS = 1;

/** DescribeCluster: all nodes, and which of them is the controller. */
export function describeClusterHandler(cluster: () => ClusterView): Handler {
  return answering(describeCluster, ({ endpointType }) => {
    const view = cluster();
    const { clusterId } = view;
    if (endpointType !== BROKERS) {
      return { errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage: 'this is a broker', clusterId, brokers: [] };
    }
    return {
      errorCode: ErrorCode.NONE,
      endpointType,
      clusterId,
      controllerId: controllerOf(view).nodeId,
      brokers: view.nodes.map(({ nodeId, host, port }) => ({ brokerId: nodeId, host, port })),
    };
  });
}
