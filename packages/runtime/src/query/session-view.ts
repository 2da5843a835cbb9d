import type { KeyValue, WindowedKey } from '@millrace/state';
import type { QueryableSessionStore } from './queryable-stores.ts';
import type { StoreView } from './store-view.ts';

type Sessions<K, V> = AsyncIterable<KeyValue<WindowedKey<K>, V>>;

/** A session store that is asked through queries. */
export class SessionView<K, V> implements QueryableSessionStore<K, V> {
  readonly name: string;
  readonly #view: StoreView;

  constructor(view: StoreView) {
    this.name = view.name;
    this.#view = view;
  }

  fetchSession(key: K, start: number, end: number): Promise<V | undefined> {
    return this.#view.one({ kind: 'session', key, start, end });
  }

  fetch(key: K): Sessions<K, V> {
    return this.findSessions(key, 0, Number.MAX_SAFE_INTEGER);
  }

  backwardFetch(key: K): Sessions<K, V> {
    return this.backwardFindSessions(key, 0, Number.MAX_SAFE_INTEGER);
  }

  findSessions(key: K, earliestEnd: number, latestStart: number): Sessions<K, V> {
    return this.#view.rows({ kind: 'sessions-of-key', key, earliestEnd, latestStart, reverse: false });
  }

  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): Sessions<K, V> {
    return this.#view.rows({ kind: 'sessions-of-key', key, earliestEnd, latestStart, reverse: true });
  }

  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined): Sessions<K, V> {
    return this.#view.rows({ kind: 'sessions', keyFrom, keyTo });
  }

  all(): Sessions<K, V> {
    return this.fetchKeys(undefined, undefined);
  }
}
