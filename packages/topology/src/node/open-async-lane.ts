import { TopologyError } from '@millrace/core';
import type { AsyncLane, AsyncOperator, AsyncSettings } from './async-operator.ts';
import type { NodeContext } from './node-processor.ts';

/**
 * The lane of an asynchronous operator, for its `init`.
 *
 * @throws TopologyError `ASYNC_UNAVAILABLE` where nothing asynchronous can run
 */
export function openAsyncLane(context: NodeContext, operator: AsyncOperator, settings: AsyncSettings): AsyncLane {
  const lane = context.asyncLane?.(operator, settings);
  if (lane !== undefined) return lane;
  throw new TopologyError('ASYNC_UNAVAILABLE', 'asynchronous operators cannot run here; use a synchronous one', {
    taskId: context.taskId,
    node: context.nodeName,
  });
}
