import type { Headers } from '@millrace/core';
import type { RecordBuffer } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { RowJoiner, type RowJoinerOptions } from './row-joiner.ts';

export interface StreamTableGraceJoinOptions<K, L, R, Out> extends RowJoinerOptions<K, L, R, Out> {
  /** A buffer of records, whose grace is that of the join. */
  readonly buffer: string;
}

/**
 * `KStream.join` and `leftJoin` with a versioned table, with grace: each stream record waits until stream time is `grace` beyond
 * it, and is then joined with the row of its own time. So changes of the table that come late by as much are seen. Records leave
 * in the order of their timestamps.
 *
 * A record that is older than the grace when it comes is joined at once. So is one without key in a left join, which has no row
 * to wait for. Stream time is what the buffer has seen.
 *
 * Source: Kafka Streams `KStreamKTableJoinProcessor` (KIP-923). Differs: there a record without key makes the left join fail.
 */
export function streamTableGraceJoinOperator<K, L, R, Out>(
  options: StreamTableGraceJoinOptions<K, L, R, Out>,
): NodeProcessorSupplier {
  return () => new StreamTableGraceJoinProcessor(options);
}

class StreamTableGraceJoinProcessor<K, L, R, Out> implements NodeProcessor {
  readonly #joiner: RowJoiner<K, L, R, Out>;
  readonly #bufferName: string;
  #buffer!: RecordBuffer<K, L>;

  constructor(options: StreamTableGraceJoinOptions<K, L, R, Out>) {
    this.#joiner = new RowJoiner(options);
    this.#bufferName = options.buffer;
  }

  init(context: NodeContext): void {
    this.#joiner.init(context);
    this.#buffer = context.getStore(this.#bufferName);
    this.#buffer.setListener((key, value, _oldValue, timestamp, headers) => {
      this.#joiner.join(key, value as L, timestamp, headers);
    });
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (this.#joiner.drop(key, value)) return;
    if (key == null || !this.#buffer.put(key as K, value as L, timestamp)) {
      this.#joiner.join(key as K, value as L, timestamp, headers);
    }
    this.#buffer.emitExpired();
  }

  close(): void {
    this.#joiner.close();
  }
}
