import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Predicate } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface BranchOptions<K, V> {
  /** In the order in which they are tried; the record goes to the child with the index of the first that says yes. */
  readonly predicates: readonly Predicate<K, V>[];
  /** True when the child after those of the predicates takes what no predicate wants; otherwise that is dropped silently. */
  readonly hasDefault: boolean;
}

/**
 * `KStream.split`: each record goes to one child at most.
 *
 * Source: Kafka Streams `KStreamBranch`.
 */
export function branchOperator<K, V>(options: BranchOptions<K, V>): NodeProcessorSupplier {
  return () => new BranchProcessor(options.predicates, options.hasDefault);
}

class BranchProcessor<K, V> implements NodeProcessor {
  readonly #predicates: readonly Predicate<K, V>[];
  readonly #hasDefault: boolean;
  #context!: NodeContext;

  constructor(predicates: readonly Predicate<K, V>[], hasDefault: boolean) {
    this.#predicates = predicates;
    this.#hasDefault = hasDefault;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const child = this.#choose(key as K, value as V);
    if (child >= 0) this.#context.forwardTo(child, key, value, timestamp, headers, undefined, true);
  }

  #choose(key: K, value: V): number {
    const predicates = this.#predicates;
    for (let i = 0; i < predicates.length; i++) {
      const passes = (predicates[i] as Predicate<K, V>)(value, key);
      assertSynchronous(passes, 'split');
      if (passes) return i;
    }
    return this.#hasDefault ? predicates.length : -1;
  }
}
