import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { SessionStore } from '../contracts/stores.ts';
import { SessionTable } from './session/session-table.ts';
import { assertOption, builderBase, type CachedStoreOptions, compactedWithRetention } from './store-options.ts';
import { storeReader } from './store-reader.ts';

/** Options of session stores. */
export interface SessionStoreOptions extends CachedStoreOptions {
  /** How long a session can be read after its end, ms, ≥ 1: at least inactivity gap + grace. */
  readonly retentionMs: number;
  /**
   * The inactivity gap, ms, ≥ 0: how far apart the sessions of a key are at least. Only the layout depends on it, and with
   * it the cost of a search. Default `retentionMs`.
   */
  readonly gapMs?: number;
  /**
   * For operators that emit a session once, when it has closed: sessions are then kept beyond the retention, which must be at
   * least gap + grace + 1, until they have been emitted. Default false.
   */
  readonly emitsClosed?: boolean;
}

/**
 * A store of values by key and session that forgets sessions after its retention.
 *
 * Source: Kafka Streams `Stores.sessionStoreBuilder` over `persistentSessionStore`.
 *
 * @example sessionStore('visits', string(), int64(), { retentionMs: 3_600_000, gapMs: 1_800_000 });
 */
export function sessionStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: SessionStoreOptions,
): StoreBuilder<SessionStore<K, V>> {
  const { retentionMs, gapMs = retentionMs, caching = false, emitsClosed = false } = options;
  assertOption(name, 'retentionMs', retentionMs, 1);
  assertOption(name, 'gapMs', gapMs, 0);
  const base = builderBase(name, 'session', options, compactedWithRetention(retentionMs));
  const table = { name, keySerde, valueSerde, retentionMs, gapMs, cached: caching, emitsClosed };
  // Finding out what has not been emitted would cost a scan, and no reader emits.
  const reader = storeReader(name, keySerde, () => new SessionTable({ ...table, cached: false, emitsClosed: false }));
  return { ...base, reader, build: () => new SessionTable(table) };
}
