import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { FlatValueMapper } from './callbacks.ts';
import { assertIterable } from './iterable-result.ts';

export interface FlatMapValuesOptions<K, V, R> {
  readonly mapper: FlatValueMapper<K, V, R>;
}

/**
 * `KStream.flatMapValues`: any number of values under the same key, timestamp and headers, forwarded one by one.
 *
 * Source: Kafka Streams `KStreamFlatMapValues`.
 */
export function flatMapValuesOperator<K, V, R>(options: FlatMapValuesOptions<K, V, R>): NodeProcessorSupplier {
  return () => new FlatMapValuesProcessor(options.mapper);
}

class FlatMapValuesProcessor<K, V, R> implements NodeProcessor {
  readonly #mapper: FlatValueMapper<K, V, R>;
  #context!: NodeContext;

  constructor(mapper: FlatValueMapper<K, V, R>) {
    this.#mapper = mapper;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const values = this.#mapper(value as V, key as K);
    assertIterable(values, 'flatMapValues');
    for (const mapped of values) this.#context.forward(key, mapped, timestamp, headers, undefined, true);
  }
}
