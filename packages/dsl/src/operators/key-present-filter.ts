import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';

/**
 * The node in front of every repartition sink: records without key cannot be grouped or joined, so they are not sent. They
 * are not counted as dropped. Where a join below keeps records without key, use `passThroughOperator` instead.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.rewriteRepartitionNodes` (KIP-962).
 */
export function keyPresentFilterOperator(): NodeProcessorSupplier {
  return () => new KeyPresentFilterProcessor();
}

class KeyPresentFilterProcessor implements NodeProcessor {
  #context!: NodeContext;

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    if (key != null) this.#context.forward(key, value, timestamp, headers, oldValue, isLatest);
  }
}
