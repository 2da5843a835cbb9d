import type { KeyValue } from '@millrace/state';
import type { QueryableKeyValueStore } from './queryable-stores.ts';
import type { StoreView } from './store-view.ts';

/** A key-value store that is asked through queries. */
export class KeyValueView<K, V> implements QueryableKeyValueStore<K, V> {
  readonly name: string;
  readonly #view: StoreView;

  constructor(view: StoreView) {
    this.name = view.name;
    this.#view = view;
  }

  get(key: K): Promise<V | undefined> {
    return this.#view.one({ kind: 'get', key });
  }

  range(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>> {
    return this.#view.rows({ kind: 'range', from, to, reverse: false });
  }

  reverseRange(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>> {
    return this.#view.rows({ kind: 'range', from, to, reverse: true });
  }

  all(): AsyncIterable<KeyValue<K, V>> {
    return this.range(undefined, undefined);
  }

  reverseAll(): AsyncIterable<KeyValue<K, V>> {
    return this.reverseRange(undefined, undefined);
  }

  prefixScan(prefix: Uint8Array): AsyncIterable<KeyValue<K, V>> {
    return this.#view.rows({ kind: 'prefix', prefix });
  }

  approximateNumEntries(): Promise<number> {
    return this.#view.sum({ kind: 'count' });
  }
}
