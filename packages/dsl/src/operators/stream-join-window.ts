import type { Headers } from '@millrace/core';
import type { JoinStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';

export interface StreamJoinWindowOptions {
  /** The join store of this side. */
  readonly store: string;
}

/**
 * The `…-windowed` node on each side of a stream-stream join: hands the record to the join first and stores it for the other
 * side's records afterwards, so that a stream that is joined with itself does not meet the record twice. Records without key
 * or value are not stored, as they can never be found.
 *
 * Source: Kafka Streams `KStreamJoinWindow`.
 */
export function streamJoinWindowOperator(options: StreamJoinWindowOptions): NodeProcessorSupplier {
  return () => new StreamJoinWindowProcessor(options.store);
}

class StreamJoinWindowProcessor implements NodeProcessor {
  readonly #storeName: string;
  #context!: NodeContext;
  #store!: JoinStore<unknown, unknown>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore(this.#storeName);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    this.#context.forward(key, value, timestamp, headers, undefined, true);
    if (key != null && value != null) this.#store.put(key, value, timestamp);
  }
}
