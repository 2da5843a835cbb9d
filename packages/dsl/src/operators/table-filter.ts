import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Predicate } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface TableFilterOptions<K, V> {
  readonly predicate: Predicate<K, V>;
  /** True for `filterNot`. */
  readonly negate?: boolean;
  /** A timestamped key-value store for the filtered table, when it is materialized. */
  readonly store?: string | undefined;
  /**
   * Whether the old value of each change is known: something downstream needs it, or the parent table has a store, so that
   * it comes for free. When known, a row that passed neither before nor now sends nothing.
   */
  readonly sendOldValues: boolean;
  /**
   * Whether the filtered table is versioned. Then a deletion is always sent: the old value is that of the latest row, not of the
   * row at that time. Default false.
   */
  readonly overVersions?: boolean;
}

/**
 * `KTable.filter` and `filterNot`: a row that does not pass is deleted downstream. Deletions pass without asking the predicate.
 *
 * Unless old values are known, each rejected change sends a deletion, even of a row that was never there.
 *
 * Source: Kafka Streams `KTableFilter`.
 */
export function tableFilterOperator<K, V>(options: TableFilterOptions<K, V>): NodeProcessorSupplier {
  return () => new TableFilterProcessor(options);
}

/** The value if it passes, else `undefined`. */
export function filterTableValue<K, V>(predicate: Predicate<K, V>, negate: boolean, key: K, value: V | undefined): V | undefined {
  if (value == null) return undefined;
  const passes = predicate(value, key);
  assertSynchronous(passes, negate ? 'filterNot' : 'filter');
  return Boolean(passes) === negate ? undefined : value;
}

class TableFilterProcessor<K, V> implements NodeProcessor {
  readonly #predicate: Predicate<K, V>;
  readonly #negate: boolean;
  readonly #storeName: string | undefined;
  readonly #sendOldValues: boolean;
  readonly #sparesDeletions: boolean;
  #context!: NodeContext;
  #store: TimestampedKeyValueStore<K, V> | undefined;
  #forwarder: ChangeForwarder<K, V> | undefined;

  constructor(options: TableFilterOptions<K, V>) {
    this.#predicate = options.predicate;
    this.#negate = options.negate ?? false;
    this.#storeName = options.store;
    this.#sendOldValues = options.sendOldValues;
    this.#sparesDeletions = options.sendOldValues && options.overVersions !== true;
  }

  init(context: NodeContext): void {
    this.#context = context;
    if (this.#storeName === undefined) return;
    this.#store = context.getStore<TimestampedKeyValueStore<K, V>>(this.#storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, this.#sendOldValues);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const newValue = filterTableValue(this.#predicate, this.#negate, key as K, value as V);
    if (this.#store !== undefined) {
      this.#updateStore(this.#store, key as K, newValue, timestamp, headers);
      return;
    }
    const old = this.#sendOldValues ? filterTableValue(this.#predicate, this.#negate, key as K, oldValue as V) : undefined;
    if (this.#sparesDeletions && newValue == null && old == null) return;
    this.#context.forward(key, newValue, timestamp, headers, old, isLatest);
  }

  #updateStore(
    store: TimestampedKeyValueStore<K, V>,
    key: K,
    newValue: V | undefined,
    timestamp: number,
    headers: Headers,
  ): void {
    const row = store.find(key);
    const old = this.#sendOldValues ? store.read(row) : undefined;
    if (this.#sparesDeletions && newValue == null && old == null) return;
    store.write(row, newValue, timestamp);
    this.#forwarder?.forward(key, newValue, old, timestamp, headers);
  }
}
