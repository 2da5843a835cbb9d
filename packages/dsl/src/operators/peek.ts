import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { RecordAction } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface PeekOptions<K, V> {
  readonly action: RecordAction<K, V>;
}

/**
 * `KStream.peek`: calls the action, then forwards the record unchanged. The action is not part of a transaction: a record
 * that is processed again is shown again.
 *
 * Source: Kafka Streams `KStreamPeek`.
 */
export function peekOperator<K, V>(options: PeekOptions<K, V>): NodeProcessorSupplier {
  return () => new PeekProcessor(options.action);
}

class PeekProcessor<K, V> implements NodeProcessor {
  readonly #action: RecordAction<K, V>;
  #context!: NodeContext;

  constructor(action: RecordAction<K, V>) {
    this.#action = action;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    // An action that nobody awaits would lose its rejection and run past the commit.
    assertSynchronous(this.#action(value as V, key as K), 'peek');
    this.#context.forward(key, value, timestamp, headers, undefined, true);
  }
}
