import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Predicate } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface FilterOptions<K, V> {
  readonly predicate: Predicate<K, V>;
  /** True for `filterNot`. */
  readonly negate?: boolean;
}

/**
 * `KStream.filter` and `filterNot`: forwards the record when the predicate says so. Absent keys and values are given to it.
 *
 * Source: Kafka Streams `KStreamFilter`.
 */
export function filterOperator<K, V>(options: FilterOptions<K, V>): NodeProcessorSupplier {
  return () => new FilterProcessor(options.predicate, options.negate ?? false);
}

class FilterProcessor<K, V> implements NodeProcessor {
  readonly #predicate: Predicate<K, V>;
  readonly #negate: boolean;
  #context!: NodeContext;

  constructor(predicate: Predicate<K, V>, negate: boolean) {
    this.#predicate = predicate;
    this.#negate = negate;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const passes = this.#predicate(value as V, key as K);
    // A promise is truthy: without the check an async predicate would pass everything.
    assertSynchronous(passes, this.#negate ? 'filterNot' : 'filter');
    if (Boolean(passes) !== this.#negate) this.#context.forward(key, value, timestamp, headers, undefined, true);
  }
}
