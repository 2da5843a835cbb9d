import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { FlatRecordMapper } from './callbacks.ts';
import { assertIterable } from './iterable-result.ts';

export interface FlatMapOptions<K, V, K2, V2> {
  readonly mapper: FlatRecordMapper<K, V, K2, V2>;
}

/**
 * `KStream.flatMap`: any number of records, given as pairs, under the same timestamp and headers, forwarded one by one.
 *
 * Source: Kafka Streams `KStreamFlatMap`.
 */
export function flatMapOperator<K, V, K2, V2>(options: FlatMapOptions<K, V, K2, V2>): NodeProcessorSupplier {
  return () => new FlatMapProcessor(options.mapper);
}

class FlatMapProcessor<K, V, K2, V2> implements NodeProcessor {
  readonly #mapper: FlatRecordMapper<K, V, K2, V2>;
  #context!: NodeContext;

  constructor(mapper: FlatRecordMapper<K, V, K2, V2>) {
    this.#mapper = mapper;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const pairs = this.#mapper(value as V, key as K);
    assertIterable(pairs, 'flatMap');
    for (const pair of pairs) {
      if (!Array.isArray(pair)) throw new TypeError('flatMap must return pairs [key, value]');
      this.#context.forward(pair[0], pair[1], timestamp, headers, undefined, true);
    }
  }
}
