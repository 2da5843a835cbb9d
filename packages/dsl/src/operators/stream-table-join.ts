import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { RowJoiner, type RowJoinerOptions } from './row-joiner.ts';

export type StreamTableJoinOptions<K, L, R, Out> = RowJoinerOptions<K, L, R, Out>;

/**
 * `KStream.join` and `leftJoin` with a table: each stream record is joined with the row that the table has now; with a
 * versioned table, the one that it had at the record's time. Changes of the table cause no results. The result has the stream
 * record's key, timestamp and headers.
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
  readonly #joiner: RowJoiner<K, L, R, Out>;

  constructor(options: StreamTableJoinOptions<K, L, R, Out>) {
    this.#joiner = new RowJoiner(options);
  }

  init(context: NodeContext): void {
    this.#joiner.init(context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (!this.#joiner.drop(key, value)) this.#joiner.join(key as K, value as L, timestamp, headers);
  }

  close(): void {
    this.#joiner.close();
  }
}
