import type { Headers } from '@millrace/core';
import type { AsyncCall, AsyncSettings, NodeProcessorSupplier } from '@millrace/topology';
import type { AsyncFlatRecordMapper } from './async-callbacks.ts';
import { collectMany } from './async-many.ts';
import { AsyncNode } from './async-node.ts';

export interface FlatMapAsyncOptions<K, V, K2, V2> {
  readonly mapper: AsyncFlatRecordMapper<K, V, K2, V2>;
  readonly settings: AsyncSettings;
}

/**
 * `KStream.flatMapAsync`: any number of records, given as pairs, under the timestamp and headers of their own record, forwarded
 * together when the last one has come: none of them when the call fails.
 */
export function flatMapAsyncOperator<K, V, K2, V2>(options: FlatMapAsyncOptions<K, V, K2, V2>): NodeProcessorSupplier {
  return () => new FlatMapAsyncNode(options);
}

class FlatMapAsyncNode<K, V, K2, V2> extends AsyncNode {
  readonly #mapper: AsyncFlatRecordMapper<K, V, K2, V2>;

  constructor({ mapper, settings }: FlatMapAsyncOptions<K, V, K2, V2>) {
    super(settings);
    this.#mapper = mapper;
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return collectMany(this.#mapper(value as V, key as K, call), 'flatMapAsync');
  }

  complete(pairs: unknown, _key: unknown, _value: unknown, timestamp: number, headers: Headers): void {
    for (const pair of pairs as readonly unknown[]) {
      if (!Array.isArray(pair)) throw new TypeError('flatMapAsync must return pairs [key, value]');
    }
    for (const pair of pairs as readonly (readonly unknown[])[]) {
      this.context.forward(pair[0], pair[1], timestamp, headers, undefined, true);
    }
  }
}
