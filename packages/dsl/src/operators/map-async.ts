import type { Headers } from '@millrace/core';
import type { AsyncCall, AsyncSettings, NodeProcessorSupplier } from '@millrace/topology';
import type { AsyncRecordMapper } from './async-callbacks.ts';
import { AsyncNode } from './async-node.ts';

export interface MapAsyncOptions<K, V, K2, V2> {
  readonly mapper: AsyncRecordMapper<K, V, K2, V2>;
  readonly settings: AsyncSettings;
}

/** `KStream.mapAsync`: a new record, given as a pair, under the timestamp and headers of its own record. */
export function mapAsyncOperator<K, V, K2, V2>(options: MapAsyncOptions<K, V, K2, V2>): NodeProcessorSupplier {
  return () => new MapAsyncNode(options);
}

class MapAsyncNode<K, V, K2, V2> extends AsyncNode {
  readonly #mapper: AsyncRecordMapper<K, V, K2, V2>;

  constructor({ mapper, settings }: MapAsyncOptions<K, V, K2, V2>) {
    super(settings);
    this.#mapper = mapper;
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return this.#mapper(value as V, key as K, call);
  }

  complete(pair: unknown, _key: unknown, _value: unknown, timestamp: number, headers: Headers): void {
    if (!Array.isArray(pair)) {
      throw new TypeError(`mapAsync must return a pair [key, value], not ${pair === null ? 'null' : typeof pair}`);
    }
    this.context.forward(pair[0], pair[1], timestamp, headers, undefined, true);
  }
}
