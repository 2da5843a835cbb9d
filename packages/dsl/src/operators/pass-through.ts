import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';

/**
 * Forwards everything unchanged: `merge`, the ends of a `split`, and the merge node of a join.
 *
 * Source: Kafka Streams `PassThrough`.
 */
export function passThroughOperator(): NodeProcessorSupplier {
  return () => new PassThroughProcessor();
}

class PassThroughProcessor implements NodeProcessor {
  #context!: NodeContext;

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    this.#context.forward(key, value, timestamp, headers, oldValue, isLatest);
  }
}
