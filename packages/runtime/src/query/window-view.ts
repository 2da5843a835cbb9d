import type { KeyValue, WindowedKey } from '@millrace/state';
import type { QueryableWindowStore } from './queryable-stores.ts';
import type { StoreView } from './store-view.ts';

type Windows<K, V> = AsyncIterable<KeyValue<WindowedKey<K>, V>>;
type WindowsOfKey<V> = AsyncIterable<readonly [windowStart: number, value: V]>;

/** A window store that is asked through queries. */
export class WindowView<K, V> implements QueryableWindowStore<K, V> {
  readonly name: string;
  readonly #view: StoreView;

  constructor(view: StoreView) {
    this.name = view.name;
    this.#view = view;
  }

  fetch(key: K, windowStart: number): Promise<V | undefined> {
    return this.#view.one({ kind: 'window', key, windowStart });
  }

  fetchRange(key: K, from: number, to: number): WindowsOfKey<V> {
    return this.#view.rows({ kind: 'windows-of-key', key, from, to, reverse: false });
  }

  backwardFetchRange(key: K, from: number, to: number): WindowsOfKey<V> {
    return this.#view.rows({ kind: 'windows-of-key', key, from, to, reverse: true });
  }

  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): Windows<K, V> {
    return this.#view.rows({ kind: 'windows', keyFrom, keyTo, from, to, reverse: false });
  }

  backwardFetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): Windows<K, V> {
    return this.#view.rows({ kind: 'windows', keyFrom, keyTo, from, to, reverse: true });
  }

  fetchAll(from: number, to: number): Windows<K, V> {
    return this.fetchKeys(undefined, undefined, from, to);
  }

  backwardFetchAll(from: number, to: number): Windows<K, V> {
    return this.backwardFetchKeys(undefined, undefined, from, to);
  }

  all(): Windows<K, V> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  backwardAll(): Windows<K, V> {
    return this.backwardFetchAll(0, Number.MAX_SAFE_INTEGER);
  }
}
