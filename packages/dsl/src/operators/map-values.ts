import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { ValueMapper } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface MapValuesOptions<K, V, R> {
  readonly mapper: ValueMapper<K, V, R>;
}

/**
 * `KStream.mapValues`: a new value under the same key, timestamp and headers. An absent value is given to the mapper.
 *
 * Source: Kafka Streams `KStreamMapValues`.
 */
export function mapValuesOperator<K, V, R>(options: MapValuesOptions<K, V, R>): NodeProcessorSupplier {
  return () => new MapValuesProcessor(options.mapper);
}

class MapValuesProcessor<K, V, R> implements NodeProcessor {
  readonly #mapper: ValueMapper<K, V, R>;
  #context!: NodeContext;

  constructor(mapper: ValueMapper<K, V, R>) {
    this.#mapper = mapper;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const mapped = this.#mapper(value as V, key as K);
    assertSynchronous(mapped, 'mapValues');
    this.#context.forward(key, mapped, timestamp, headers, undefined, true);
  }
}
