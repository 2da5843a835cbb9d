import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Joiner, KeySelector } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

export interface StreamGlobalJoinOptions<K, L, GK, R, Out> {
  readonly kind: 'inner' | 'left';
  readonly table: TableView<GK, R>;
  /** The key to look up in the global table. */
  readonly keySelector: KeySelector<K, L, GK | undefined>;
  readonly joiner: Joiner<K, L, R | undefined, Out>;
}

/**
 * `KStream.join` and `leftJoin` with a global table: each stream record is joined with the row that the table has now under
 * the key that the selector names. Changes of the table cause no results. The result has the stream record's key, timestamp
 * and headers.
 *
 * Records without value are dropped. A record for which the selector names no key is dropped by an inner join, and joined with
 * nothing by a left join. A missing row gives no result (inner; not counted as dropped) or one without right side (left).
 *
 * Source: Kafka Streams `KStreamGlobalKTableJoin`.
 */
export function streamGlobalJoinOperator<K, L, GK, R, Out>(
  options: StreamGlobalJoinOptions<K, L, GK, R, Out>,
): NodeProcessorSupplier {
  return () => new StreamGlobalJoinProcessor(options);
}

class StreamGlobalJoinProcessor<K, L, GK, R, Out> implements NodeProcessor {
  readonly #left: boolean;
  readonly #keySelector: KeySelector<K, L, GK | undefined>;
  readonly #joiner: Joiner<K, L, R | undefined, Out>;
  readonly #getter: TableValueGetter<GK, R>;
  #context!: NodeContext;

  constructor(options: StreamGlobalJoinOptions<K, L, GK, R, Out>) {
    this.#left = options.kind === 'left';
    this.#keySelector = options.keySelector;
    this.#joiner = options.joiner;
    this.#getter = options.table.createGetter();
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (value == null) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    const lookup = this.#keySelector(value as L, key as K);
    assertSynchronous(lookup, 'the key selector');
    if (lookup == null && !this.#left) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    const row = lookup == null ? undefined : this.#getter.get(lookup);
    if (row == null && !this.#left) return;
    const result = this.#joiner(value as L, row ?? undefined, key as K);
    assertSynchronous(result, 'the joiner');
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }
}
