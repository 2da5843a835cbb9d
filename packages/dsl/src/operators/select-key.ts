import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { KeySelector } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface SelectKeyOptions<K, V, K2> {
  readonly selector: KeySelector<K, V, K2>;
}

/**
 * `KStream.selectKey`: the same value under a new key, which may be absent.
 *
 * Source: Kafka Streams `KStreamImpl.internalSelectKey`.
 */
export function selectKeyOperator<K, V, K2>(options: SelectKeyOptions<K, V, K2>): NodeProcessorSupplier {
  return () => new SelectKeyProcessor(options.selector);
}

class SelectKeyProcessor<K, V, K2> implements NodeProcessor {
  readonly #selector: KeySelector<K, V, K2>;
  #context!: NodeContext;

  constructor(selector: KeySelector<K, V, K2>) {
    this.#selector = selector;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const selected = this.#selector(value as V, key as K);
    assertSynchronous(selected, 'selectKey');
    this.#context.forward(selected, value, timestamp, headers, undefined, true);
  }
}
