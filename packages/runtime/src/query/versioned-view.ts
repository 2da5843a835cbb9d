import type { KeyValue, ValueAndTimestamp } from '@millrace/state';
import type { QueryableVersionedStore } from './queryable-stores.ts';
import type { StoreView } from './store-view.ts';

/** A versioned store that is asked through queries. */
export class VersionedView<K, V> implements QueryableVersionedStore<K, V> {
  readonly name: string;
  readonly #view: StoreView;

  constructor(view: StoreView) {
    this.name = view.name;
    this.#view = view;
  }

  get(key: K, asOf?: number): Promise<ValueAndTimestamp<V> | undefined> {
    return this.#view.one({ kind: 'version', key, asOf });
  }

  all(): AsyncIterable<KeyValue<K, ValueAndTimestamp<V>>> {
    return this.#view.rows({ kind: 'latest' });
  }
}
