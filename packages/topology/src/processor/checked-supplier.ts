import { TopologyError } from '@millrace/core';

/**
 * Throws unless the supplier makes a new object each time: tasks must not share a processor.
 *
 * Source: Kafka Streams `ApiUtils.checkSupplier`.
 */
export function assertFreshProcessors(supplier: () => object, node: string): void {
  const first = supplier();
  if (first !== supplier()) return;
  throw new TopologyError(
    'SHARED_PROCESSOR',
    `the supplier of ${node} returns the same object each time; return a new processor from each call, as every task needs its own`,
    { node },
  );
}
