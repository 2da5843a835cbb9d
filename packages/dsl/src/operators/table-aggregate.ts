import { type Headers, ProcessingError } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Aggregator, Initializer } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { assertSynchronous } from './synchronous-result.ts';

/** What an aggregation of a table's groups computes. */
export interface TableAggregation<K, V, A> {
  readonly initializer: Initializer<A>;
  /** Called for a value that enters the group. */
  readonly adder: Aggregator<K, V, A>;
  /** Called for a value that leaves the group. */
  readonly subtractor: Aggregator<K, V, A>;
}

export interface TableAggregateOptions<K, V, A> extends TableAggregation<K, V, A> {
  /** A timestamped key-value store. */
  readonly store: string;
  /** Whether something downstream needs the aggregate before each change. */
  readonly sendOldValues: boolean;
}

/**
 * `KGroupedTable.aggregate`, `reduce` and `count`: subtracts the old value of each change from the aggregate of its group, then
 * adds the new one. Nothing is subtracted from a group without aggregate. The result is stored and forwarded in any case, an
 * absent one as a deletion; its timestamp is the highest of its changes.
 *
 * Source: Kafka Streams `KTableAggregate`, `KTableReduce`.
 */
export function tableAggregateOperator<K, V, A>(options: TableAggregateOptions<K, V, A>): NodeProcessorSupplier {
  return () => new TableAggregateProcessor(options);
}

class TableAggregateProcessor<K, V, A> implements NodeProcessor {
  readonly #options: TableAggregateOptions<K, V, A>;
  #context!: NodeContext;
  #store!: TimestampedKeyValueStore<K, A>;
  #forwarder!: ChangeForwarder<K, A>;

  constructor(options: TableAggregateOptions<K, V, A>) {
    this.#options = options;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore<TimestampedKeyValueStore<K, A>>(this.#options.store);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#options.sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void {
    if (key == null) {
      throw new ProcessingError(
        'NULL_KEY',
        'a change without key reached an aggregation; does something else write to its topic?',
        {
          node: this.#context.nodeName,
          store: this.#options.store,
        },
      );
    }
    const store = this.#store;
    const row = store.find(key as K);
    const current = store.read(row);
    const touches = current != null && (value != null || oldValue != null);
    const resultTimestamp = touches ? Math.max(timestamp, row.timestamp) : timestamp;
    // A subtractor or adder may change the aggregate in place, so the old value is a second reading of the row.
    const old = this.#forwarder.needsOldValue && current != null ? store.read(row) : undefined;
    const result = this.#add(key as K, value, this.#subtract(key as K, oldValue, current));
    store.write(row, result, resultTimestamp);
    this.#forwarder.forward(key as K, result, old, resultTimestamp, headers);
  }

  #subtract(key: K, value: unknown, aggregate: A | undefined): A | undefined {
    if (value == null || aggregate == null) return aggregate;
    const result = this.#options.subtractor(aggregate, value as V, key);
    assertSynchronous(result, 'the subtractor');
    return result;
  }

  #add(key: K, value: unknown, aggregate: A | undefined): A | undefined {
    if (value == null) return aggregate;
    const result = this.#options.adder(aggregate ?? this.#options.initializer(), value as V, key);
    assertSynchronous(result, 'the adder');
    return result;
  }
}
