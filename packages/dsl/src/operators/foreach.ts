import type { NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { RecordAction } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface ForeachOptions<K, V> {
  readonly action: RecordAction<K, V>;
}

/**
 * `KStream.foreach`: calls the action; nothing goes on from here. The action is not part of a transaction: a record that is
 * processed again is shown again.
 *
 * Source: Kafka Streams `ForeachProcessor`.
 */
export function foreachOperator<K, V>(options: ForeachOptions<K, V>): NodeProcessorSupplier {
  return () => new ForeachProcessor(options.action);
}

class ForeachProcessor<K, V> implements NodeProcessor {
  readonly #action: RecordAction<K, V>;

  constructor(action: RecordAction<K, V>) {
    this.#action = action;
  }

  init(): void {}

  process(key: unknown, value: unknown): void {
    assertSynchronous(this.#action(value as V, key as K), 'foreach');
  }
}
