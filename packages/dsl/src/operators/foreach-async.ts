import type { AsyncCall, AsyncSettings, NodeProcessorSupplier } from '@millrace/topology';
import type { AsyncRecordAction } from './async-callbacks.ts';
import { AsyncNode } from './async-node.ts';

export interface ForeachAsyncOptions<K, V> {
  readonly action: AsyncRecordAction<K, V>;
  readonly settings: AsyncSettings;
}

/** `KStream.foreachAsync`: calls the action; nothing goes on from here. The record counts as processed when the action has ended. */
export function foreachAsyncOperator<K, V>(options: ForeachAsyncOptions<K, V>): NodeProcessorSupplier {
  return () => new ForeachAsyncNode(options);
}

class ForeachAsyncNode<K, V> extends AsyncNode {
  readonly #action: AsyncRecordAction<K, V>;

  constructor({ action, settings }: ForeachAsyncOptions<K, V>) {
    super(settings);
    this.#action = action;
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return this.#action(value as V, key as K, call);
  }

  complete(): void {}
}
