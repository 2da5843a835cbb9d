import type { Headers } from '@millrace/core';
import type { RowAccess } from '@millrace/state';
import type { NodeContext } from '@millrace/topology';

/** The part of a store that decides when its changes go downstream. */
type ChangeSource<K, V> = Pick<RowAccess<K, V>, 'cached' | 'setFlushListener'>;

/**
 * Sends the changes of a table's store downstream: at once, or, when the store caches, one merged change per row at each
 * flush. With a cache the old value is the one of the previous flush; without, the one that the operator passes.
 *
 * Source: Kafka Streams `TimestampedTupleForwarder`.
 */
export class ChangeForwarder<K, V> {
  readonly #context: NodeContext;
  readonly #sendOldValues: boolean;
  /** True when the operator must not forward: the flush does. */
  readonly cached: boolean;

  constructor(context: NodeContext, store: ChangeSource<K, V>, sendOldValues: boolean) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
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

  forward(key: K, newValue: V | undefined, oldValue: V | undefined, timestamp: number, headers: Headers): void {
    if (this.cached) return;
    this.#context.forward(key, newValue, timestamp, headers, this.#sendOldValues ? oldValue : undefined, true);
  }
}
