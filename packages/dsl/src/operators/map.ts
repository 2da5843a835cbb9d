import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { RecordMapper } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface MapOptions<K, V, K2, V2> {
  readonly mapper: RecordMapper<K, V, K2, V2>;
}

/**
 * `KStream.map`: a new key and value, given as a pair, under the same timestamp and headers.
 *
 * Source: Kafka Streams `KStreamMap`.
 */
export function mapOperator<K, V, K2, V2>(options: MapOptions<K, V, K2, V2>): NodeProcessorSupplier {
  return () => new MapProcessor(options.mapper);
}

class MapProcessor<K, V, K2, V2> implements NodeProcessor {
  readonly #mapper: RecordMapper<K, V, K2, V2>;
  #context!: NodeContext;

  constructor(mapper: RecordMapper<K, V, K2, V2>) {
    this.#mapper = mapper;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const pair = this.#mapper(value as V, key as K);
    if (!Array.isArray(pair)) {
      assertSynchronous(pair, 'map');
      throw new TypeError(`map must return a pair [key, value], not ${pair === null ? 'null' : typeof pair}`);
    }
    this.#context.forward(pair[0], pair[1], timestamp, headers, undefined, true);
  }
}
