import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { ChangeForwarder } from './change-forwarder.ts';
import { dropReasons } from './drop-reasons.ts';

export interface TableSourceOptions {
  /** The table's timestamped key-value store; without one, changes are passed on without old values. */
  readonly store?: string | undefined;
  /** Whether something downstream needs the value before each change. */
  readonly sendOldValues: boolean;
}

/**
 * `StreamsBuilder.table` and `KStream.toTable`: turns records into changes of a table. The order of offsets wins: a record
 * that is older than the row replaces it nevertheless. A record without key is dropped; one without value deletes the row.
 *
 * Source: Kafka Streams `KTableSource`.
 */
export function tableSourceOperator(options: TableSourceOptions): NodeProcessorSupplier {
  const { store, sendOldValues } = options;
  return store === undefined ? () => new PlainTableSource() : () => new StoredTableSource(store, sendOldValues);
}

class PlainTableSource implements NodeProcessor {
  #context!: NodeContext;

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null) this.#context.dropped(dropReasons.nullKey);
    else this.#context.forward(key, value, timestamp, headers, undefined, true);
  }
}

class StoredTableSource implements NodeProcessor {
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  #context!: NodeContext;
  #store!: TimestampedKeyValueStore<unknown, unknown>;
  #forwarder!: ChangeForwarder<unknown, unknown>;

  constructor(storeName: string, sendOldValues: boolean) {
    this.#storeName = storeName;
    this.#sendOldValues = sendOldValues;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore(this.#storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null) {
      this.#context.dropped(dropReasons.nullKey);
      return;
    }
    const row = this.#store.find(key);
    const oldValue = this.#forwarder.needsOldValue ? this.#store.read(row) : undefined;
    this.#store.write(row, value, timestamp);
    this.#forwarder.forward(key, value, oldValue, timestamp, headers);
  }
}
