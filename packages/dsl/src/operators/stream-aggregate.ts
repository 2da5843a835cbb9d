import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Aggregator, Initializer } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface StreamAggregateOptions<K, V, A> {
  /** A timestamped key-value store. */
  readonly store: string;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Whether something downstream needs the aggregate before each change. */
  readonly sendOldValues: boolean;
}

/**
 * `KGroupedStream.aggregate`: one aggregate per key. `reduce` and `count` are this with the initializer and aggregator of
 * `reducingAggregation` and `countingAggregation`.
 *
 * Records without key or value are dropped. There is no grace: every record counts, however old. The result's timestamp is
 * the highest of its records; an absent result deletes the row and is forwarded as a deletion. Without a cache, the old value
 * of a new row is what the initializer returned, not absent.
 *
 * Source: Kafka Streams `KStreamAggregate`, `KStreamReduce`.
 */
export function streamAggregateOperator<K, V, A>(options: StreamAggregateOptions<K, V, A>): NodeProcessorSupplier {
  return () => new StreamAggregateProcessor(options);
}

class StreamAggregateProcessor<K, V, A> implements NodeProcessor {
  readonly #options: StreamAggregateOptions<K, V, A>;
  readonly #initializer: Initializer<A>;
  readonly #aggregator: Aggregator<K, V, A>;
  #context!: NodeContext;
  #store!: TimestampedKeyValueStore<K, A>;
  #forwarder!: ChangeForwarder<K, A>;

  constructor(options: StreamAggregateOptions<K, V, A>) {
    this.#options = options;
    this.#initializer = options.initializer;
    this.#aggregator = options.aggregator;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore<TimestampedKeyValueStore<K, A>>(this.#options.store);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#options.sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null || value == null) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    const store = this.#store;
    const row = store.find(key as K);
    const stored = store.read(row);
    const current = stored ?? this.#initializer();
    const resultTimestamp = stored == null ? timestamp : Math.max(timestamp, row.timestamp);
    // An aggregator may change the aggregate in place, so the old value is a second reading of the row.
    const old = this.#forwarder.needsOldValue && stored != null ? store.read(row) : current;
    const result = this.#aggregator(current, value as V, key as K);
    assertSynchronous(result, 'aggregate');
    store.write(row, result, resultTimestamp);
    this.#forwarder.forward(key as K, result, old, resultTimestamp, headers);
  }
}
