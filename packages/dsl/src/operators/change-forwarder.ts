import type { Headers } from '@millrace/core';
import type { RowAccess, VersionedKeyValueStore } from '@millrace/state';
import type { NodeContext } from '@millrace/topology';

/** The part of a store that decides when its changes go downstream. `lastPut`: only versioned stores have it. */
type ChangeSource<K, V> = Pick<RowAccess<K, V>, 'cached' | 'setFlushListener'> &
  Partial<Pick<VersionedKeyValueStore<K, V>, 'lastPut'>>;

/**
 * Sends the changes of a table's store downstream: at once, or, when the store caches, one merged change per row at each
 * flush. With a cache the old value is the one of the previous flush; without, the one that the operator passes.
 *
 * A change that a versioned store has refused is not sent; one that it has put into the past is sent as not the latest.
 *
 * Source: Kafka Streams `TimestampedTupleForwarder`.
 */
export class ChangeForwarder<K, V> {
  readonly #context: NodeContext;
  readonly #sendOldValues: boolean;
  /** The store, when it is versioned. */
  readonly #versions: Pick<VersionedKeyValueStore<K, V>, 'lastPut'> | undefined;
  /** True when the operator must not forward: the flush does. */
  readonly cached: boolean;

  constructor(context: NodeContext, store: ChangeSource<K, V>, sendOldValues: boolean) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
    this.#versions = 'lastPut' in store ? (store as VersionedKeyValueStore<K, V>) : undefined;
    this.cached = store.cached;
    if (!store.cached) return;
    store.setFlushListener((key, newValue, oldValue, timestamp) => {
      // The store has made the context that of the row's last update.
      context.forward(key, newValue, timestamp, context.recordContext.headers, sendOldValues ? oldValue : undefined, true);
    }, sendOldValues);
  }

  /** True when the operator has to find out the old value of a change. */
  get needsOldValue(): boolean {
    return this.#sendOldValues && !this.cached;
  }

  /** To be called after the change has been written to the store. */
  forward(key: K, newValue: V | undefined, oldValue: V | undefined, timestamp: number, headers: Headers): void {
    if (this.cached) return;
    const end = this.#versions === undefined ? Infinity : this.#versions.lastPut;
    if (end === undefined) return;
    const old = this.#sendOldValues ? oldValue : undefined;
    this.#context.forward(key, newValue, timestamp, headers, old, end === Infinity);
  }
}
