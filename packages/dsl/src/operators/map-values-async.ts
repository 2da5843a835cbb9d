import type { Headers } from '@millrace/core';
import type { AsyncCall, AsyncSettings, NodeProcessorSupplier } from '@millrace/topology';
import type { AsyncValueMapper } from './async-callbacks.ts';
import { AsyncNode } from './async-node.ts';

export interface MapValuesAsyncOptions<K, V, R> {
  readonly mapper: AsyncValueMapper<K, V, R>;
  readonly settings: AsyncSettings;
}

/** `KStream.mapValuesAsync`: a new value under the key, timestamp and headers of its own record. */
export function mapValuesAsyncOperator<K, V, R>(options: MapValuesAsyncOptions<K, V, R>): NodeProcessorSupplier {
  return () => new MapValuesAsyncNode(options);
}

class MapValuesAsyncNode<K, V, R> extends AsyncNode {
  readonly #mapper: AsyncValueMapper<K, V, R>;

  constructor({ mapper, settings }: MapValuesAsyncOptions<K, V, R>) {
    super(settings);
    this.#mapper = mapper;
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return this.#mapper(value as V, key as K, call);
  }

  complete(mapped: unknown, key: unknown, _value: unknown, timestamp: number, headers: Headers): void {
    this.context.forward(key, mapped, timestamp, headers, undefined, true);
  }
}
