import type { Headers } from '@millrace/core';
import type { AsyncCall, AsyncSettings, NodeProcessorSupplier } from '@millrace/topology';
import type { AsyncFlatValueMapper } from './async-callbacks.ts';
import { collectMany } from './async-many.ts';
import { AsyncNode } from './async-node.ts';

export interface FlatMapValuesAsyncOptions<K, V, R> {
  readonly mapper: AsyncFlatValueMapper<K, V, R>;
  readonly settings: AsyncSettings;
}

/**
 * `KStream.flatMapValuesAsync`: any number of values under the key, timestamp and headers of their own record, forwarded together
 * when the last one has come: none of them when the call fails.
 */
export function flatMapValuesAsyncOperator<K, V, R>(options: FlatMapValuesAsyncOptions<K, V, R>): NodeProcessorSupplier {
  return () => new FlatMapValuesAsyncNode(options);
}

class FlatMapValuesAsyncNode<K, V, R> extends AsyncNode {
  readonly #mapper: AsyncFlatValueMapper<K, V, R>;

  constructor({ mapper, settings }: FlatMapValuesAsyncOptions<K, V, R>) {
    super(settings);
    this.#mapper = mapper;
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return collectMany(this.#mapper(value as V, key as K, call), 'flatMapValuesAsync');
  }

  complete(values: unknown, key: unknown, _value: unknown, timestamp: number, headers: Headers): void {
    for (const value of values as readonly unknown[]) this.context.forward(key, value, timestamp, headers, undefined, true);
  }
}
