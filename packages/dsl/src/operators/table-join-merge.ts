import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { ChangeForwarder } from './change-forwarder.ts';
import { passThroughOperator } from './pass-through.ts';

export interface TableJoinMergeOptions {
  /** A timestamped key-value store for the results, when they are materialized. */
  readonly store?: string | undefined;
  /** Whether something downstream needs the result before each change. */
  readonly sendOldValues: boolean;
}

/**
 * Where the results of both sides of a join of tables come together, and are stored when the user wants that. The old value of
 * a result is the one that the joining side found, not that of the store, unless the store caches.
 *
 * Source: Kafka Streams `KTableKTableJoinMerger`.
 */
export function tableJoinMergeOperator({ store, sendOldValues }: TableJoinMergeOptions): NodeProcessorSupplier {
  // Without a store there is nothing to do: the sides send old values only when they are needed.
  return store === undefined ? passThroughOperator() : () => new StoredMergeProcessor(store, sendOldValues);
}

class StoredMergeProcessor implements NodeProcessor {
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  #store!: TimestampedKeyValueStore<unknown, unknown>;
  #forwarder!: ChangeForwarder<unknown, unknown>;

  constructor(storeName: string, sendOldValues: boolean) {
    this.#storeName = storeName;
    this.#sendOldValues = sendOldValues;
  }

  init(context: NodeContext): void {
    this.#store = context.getStore(this.#storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void {
    this.#store.write(this.#store.find(key), value, timestamp);
    this.#forwarder.forward(key, value, oldValue, timestamp, headers);
  }
}
