import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Joiner } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

export interface StreamTableJoinOptions<K, L, R, Out> {
  readonly kind: 'inner' | 'left';
  /** The table as seen from the join; its `stores` must be connected to the node. */
  readonly table: TableView<K, R>;
  readonly joiner: Joiner<K, L, R | undefined, Out>;
}

/**
 * `KStream.join` and `leftJoin` with a table: each stream record is joined with the row that the table has now; with a
 * versioned table, the one that it had at the record's time. Changes of the table cause no results. The result has the stream record's key, timestamp and headers.
 *
 * Records without value are dropped. A record without key is dropped by an inner join and joined with nothing by a left join.
 * A missing row gives no result (inner; not counted as dropped) or a result without right side (left).
 *
 * Source: Kafka Streams `KStreamKTableJoinProcessor`.
 */
export function streamTableJoinOperator<K, L, R, Out>(options: StreamTableJoinOptions<K, L, R, Out>): NodeProcessorSupplier {
  return () => new StreamTableJoinProcessor(options);
}

class StreamTableJoinProcessor<K, L, R, Out> implements NodeProcessor {
  readonly #left: boolean;
  readonly #joiner: Joiner<K, L, R | undefined, Out>;
  readonly #getter: TableValueGetter<K, R>;
  readonly #hasHistory: boolean;
  #context!: NodeContext;

  constructor(options: StreamTableJoinOptions<K, L, R, Out>) {
    this.#left = options.kind === 'left';
    this.#joiner = options.joiner;
    this.#getter = options.table.createGetter();
    this.#hasHistory = options.table.historyRetentionMs !== undefined;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (value == null || (key == null && !this.#left)) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    const row = key == null ? undefined : this.#getter.get(key as K);
    if (row == null && !this.#left) return;
    const result = this.#joiner(value as L, row ?? undefined, key as K);
    assertSynchronous(result, 'the joiner');
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }

  close(): void {
    this.#getter.close?.();
  }
}
