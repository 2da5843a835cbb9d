import type {
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
} from '@millrace/state';
import type { StoreQuery } from './store-query.ts';

type KeyValues = ReadOnlyKeyValueStore<unknown, unknown>;
type Versions = ReadOnlyVersionedKeyValueStore<unknown, unknown>;
type Windows = ReadOnlyWindowStore<unknown, unknown>;
type Sessions = ReadOnlySessionStore<unknown, unknown>;

type Question<K extends StoreQuery['kind']> = Extract<StoreQuery, { readonly kind: K }>;
type Answer = Iterable<unknown> | AsyncIterable<unknown>;
/** Each takes a store of its own family. */
type Answers = { readonly [K in StoreQuery['kind']]: (store: never, query: Question<K>) => Answer };

const ANSWERS = {
  get: (store: KeyValues, { key }) => present(store.get(key)),
  range: (store: KeyValues, { from, to, reverse }) => (reverse ? store.reverseRange(from, to) : store.range(from, to)),
  prefix: (store: KeyValues, { prefix }) => store.prefixScan(prefix),
  count: (store: KeyValues) => [store.approximateNumEntries()],
  version: (store: Versions, { key, asOf }) => present(store.get(key, asOf)),
  latest: (store: Versions) => store.all(),
  window: (store: Windows, { key, windowStart }) => present(store.fetch(key, windowStart)),
  'windows-of-key': (store: Windows, { key, from, to, reverse }) =>
    reverse ? store.backwardFetchRange(key, from, to) : store.fetchRange(key, from, to),
  windows: (store: Windows, { keyFrom, keyTo, from, to, reverse }) =>
    reverse ? store.backwardFetchKeys(keyFrom, keyTo, from, to) : store.fetchKeys(keyFrom, keyTo, from, to),
  session: (store: Sessions, { key, start, end }) => present(store.fetchSession(key, start, end)),
  'sessions-of-key': (store: Sessions, { key, earliestEnd, latestStart, reverse }) =>
    reverse ? store.backwardFindSessions(key, earliestEnd, latestStart) : store.findSessions(key, earliestEnd, latestStart),
  sessions: (store: Sessions, { keyFrom, keyTo }) => store.fetchKeys(keyFrom, keyTo),
} satisfies Answers;

/**
 * Asks a store. A question about one row gives one value, or none.
 *
 * @param store of the family that the question is for
 */
export function answerQuery(store: unknown, query: StoreQuery): Answer {
  const answer = ANSWERS[query.kind] as (store: unknown, query: StoreQuery) => Answer;
  return answer(store, query);
}

function present(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value];
}
