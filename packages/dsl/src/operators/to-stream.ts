import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';

/**
 * `KTable.toStream`: the new value of every change becomes a record; a deletion becomes a record without value.
 *
 * Source: Kafka Streams `KTableImpl.toStream`.
 */
export function toStreamOperator(): NodeProcessorSupplier {
  return () => new ToStreamProcessor();
}

class ToStreamProcessor implements NodeProcessor {
  #context!: NodeContext;

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    this.#context.forward(key, value, timestamp, headers, undefined, true);
  }
}
