import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { ValueMapper } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface TableMapValuesOptions<K, V, R> {
  readonly mapper: ValueMapper<K, V, R>;
  /** A timestamped key-value store for the mapped table, when it is materialized. */
  readonly store?: string | undefined;
  /** Whether something downstream needs the value before each change. */
  readonly sendOldValues: boolean;
}

/**
 * `KTable.mapValues`: maps the value of every change. A deletion stays one: the mapper is not called for it.
 *
 * Source: Kafka Streams `KTableMapValues`.
 */
export function tableMapValuesOperator<K, V, R>(options: TableMapValuesOptions<K, V, R>): NodeProcessorSupplier {
  return () => new TableMapValuesProcessor(options);
}

/** The mapped value; an absent one stays absent. */
export function mapTableValue<K, V, R>(mapper: ValueMapper<K, V, R>, key: K, value: V | undefined): R | undefined {
  if (value == null) return undefined;
  const mapped = mapper(value, key);
  assertSynchronous(mapped, 'mapValues');
  return mapped;
}

class TableMapValuesProcessor<K, V, R> implements NodeProcessor {
  readonly #mapper: ValueMapper<K, V, R>;
  readonly #storeName: string | undefined;
  readonly #sendOldValues: boolean;
  #context!: NodeContext;
  #store: TimestampedKeyValueStore<K, R> | undefined;
  #forwarder: ChangeForwarder<K, R> | undefined;

  constructor(options: TableMapValuesOptions<K, V, R>) {
    this.#mapper = options.mapper;
    this.#storeName = options.store;
    this.#sendOldValues = options.sendOldValues;
  }

  init(context: NodeContext): void {
    this.#context = context;
    if (this.#storeName === undefined) return;
    this.#store = context.getStore<TimestampedKeyValueStore<K, R>>(this.#storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const newValue = mapTableValue(this.#mapper, key as K, value as V);
    const store = this.#store;
    if (store === undefined) {
      const old = this.#sendOldValues ? mapTableValue(this.#mapper, key as K, oldValue as V) : undefined;
      this.#context.forward(key, newValue, timestamp, headers, old, isLatest);
      return;
    }
    const row = store.find(key as K);
    const old = this.#forwarder?.needsOldValue ? store.read(row) : undefined;
    store.write(row, newValue, timestamp);
    this.#forwarder?.forward(key as K, newValue, old, timestamp, headers);
  }
}
