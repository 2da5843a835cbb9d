import { type Headers, NO_HEADERS } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import { type NodeContext, type NodeProcessor, type NodeProcessorSupplier, processingContext } from '@millrace/topology';
import { ChangeForwarder } from './change-forwarder.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableValueGetter, TableView } from './table-view.ts';
import type { ValueTransformer, ValueTransformerSupplier } from './value-transformer.ts';

export interface TableTransformValuesOptions<K, V, R> {
  readonly supplier: ValueTransformerSupplier<K, V, R>;
  /** A timestamped key-value store for the transformed table, when it is materialized. */
  readonly store?: string | undefined;
  /** Whether something downstream needs the value before each change. */
  readonly sendOldValues: boolean;
}

/**
 * `KTable.transformValues`: a transformer makes the new value of every change, deletions included. Without a store, the old
 * value is made by it, too, after the new one.
 *
 * Source: Kafka Streams `KTableTransformValues`.
 */
export function tableTransformValuesOperator<K, V, R>(options: TableTransformValuesOptions<K, V, R>): NodeProcessorSupplier {
  return () => new TableTransformValuesProcessor(options);
}

/**
 * A transformed table without store: rows are looked up in the parent and transformed by a transformer of the looking node's
 * own, which sees no record metadata. Its stores must be connected to that node, as in Kafka Streams.
 */
export function transformedTableView<K, V, R>(
  parent: TableView<K, V>,
  supplier: ValueTransformerSupplier<K, V, R>,
): TableView<K, R> {
  const { stores, historyRetentionMs } = parent;
  return { stores, historyRetentionMs, createGetter: () => new TransformGetter(parent.createGetter(), supplier()) };
}

function transform<K, V, R>(transformer: ValueTransformer<K, V, R>, value: unknown, key: K): R {
  const result = transformer.transform((value ?? undefined) as V | undefined, key);
  assertSynchronous(result, 'transformValues');
  return result;
}

class TableTransformValuesProcessor<K, V, R> implements NodeProcessor {
  readonly #transformer: ValueTransformer<K, V, R>;
  readonly #storeName: string | undefined;
  readonly #sendOldValues: boolean;
  #context!: NodeContext;
  #store: TimestampedKeyValueStore<K, R> | undefined;
  #forwarder: ChangeForwarder<K, R> | undefined;

  constructor({ supplier, store, sendOldValues }: TableTransformValuesOptions<K, V, R>) {
    this.#transformer = supplier();
    this.#storeName = store;
    this.#sendOldValues = sendOldValues;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#transformer.init?.(processingContext(context));
    if (this.#storeName === undefined) return;
    this.#store = context.getStore<TimestampedKeyValueStore<K, R>>(this.#storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const newValue = transform(this.#transformer, value, key as K);
    const store = this.#store;
    if (store === undefined) {
      const old = this.#sendOldValues ? transform(this.#transformer, oldValue, key as K) : undefined;
      this.#context.forward(key, newValue, timestamp, headers, old, isLatest);
      return;
    }
    const row = store.find(key as K);
    const old = this.#forwarder?.needsOldValue ? store.read(row) : undefined;
    store.write(row, newValue, timestamp);
    this.#forwarder?.forward(key as K, newValue, old, timestamp, headers);
  }

  close(): void {
    this.#transformer.close?.();
  }
}

class TransformGetter<K, V, R> implements TableValueGetter<K, R> {
  readonly #parent: TableValueGetter<K, V>;
  readonly #transformer: ValueTransformer<K, V, R>;
  #context!: NodeContext;

  constructor(parent: TableValueGetter<K, V>, transformer: ValueTransformer<K, V, R>) {
    this.#parent = parent;
    this.#transformer = transformer;
  }

  get timestamp(): number {
    return this.#parent.timestamp;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#parent.init(context);
    this.#transformer.init?.(processingContext(context));
  }

  get(key: K): R | undefined {
    return this.#transform(key, this.#parent.get(key), this.#parent.timestamp);
  }

  getReported(key: K): R | undefined {
    return this.#transform(key, this.#parent.getReported(key), -1);
  }

  markSeen(key: K): void {
    this.#parent.markSeen?.(key);
  }

  getAsOf(key: K, timestamp: number): R | undefined {
    return this.#transform(key, this.#parent.getAsOf?.(key, timestamp), -1);
  }

  #transform(key: K, value: V | undefined, rowTimestamp: number): R {
    const { recordContext } = this.#context;
    const { topic, partition, offset, timestamp, headers } = recordContext;
    // The row's own record is not known any more, and the one in work is another one.
    recordContext.set(undefined, -1, -1, rowTimestamp, NO_HEADERS);
    const result = transform(this.#transformer, value, key);
    recordContext.set(topic, partition, offset, timestamp, headers);
    return result;
  }

  close(): void {
    this.#transformer.close?.();
    this.#parent.close?.();
  }
}
