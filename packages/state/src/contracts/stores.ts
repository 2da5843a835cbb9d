import type { FlushListener, StateStore } from './state-store.ts';

/** A value with the time of its latest update. */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestamp: number;
}

/**
 * One row as the record path sees it: found once, then read and written without another lookup and without an object.
 * Belongs to the store; valid until the next `find` of another row or the end of the record, whichever comes first.
 */
export interface Row {
  /** Timestamp of the stored value; −1 when the row is absent. */
  readonly timestamp: number;
}

/** What the record path does with any table of rows, whatever the layout behind it. */
export interface RowAccess<K, V> {
  /** True when updates are held back until `flushCache`, which then reports them to the listener. */
  readonly cached: boolean;
  /**
   * @param listener called per held-back row at a flush
   * @param sendOldValues when false the listener gets `undefined` as old value, and the store need not keep it
   */
  setFlushListener(listener: FlushListener<K, V>, sendOldValues: boolean): void;
  /** The value of the row, `undefined` when absent. A fresh object for serdes that are not `immutable`. */
  read(row: Row): V | undefined;
  /** The value of the row as the flush listener knows it: that of before the update, while one is held back. */
  readReported(row: Row): V | undefined;
  /** Somebody has used the row as it is now: the flush listener hears of it even if it goes as it came, between two flushes. */
  markSeen(row: Row): void;
  /** Sets (or with `undefined`/`null` deletes) the row. */
  write(row: Row, value: V | undefined, timestamp: number): void;
}

/** One result of a range query. */
export type KeyValue<K, V> = readonly [key: K, value: V];

/** Read access to a key-value store. Ranges are ordered by serialised key; both bounds are inclusive. */
export interface ReadOnlyKeyValueStore<K, V> {
  readonly name: string;
  get(key: K): V | undefined;
  range(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>>;
  reverseRange(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>>;
  all(): AsyncIterable<KeyValue<K, V>>;
  reverseAll(): AsyncIterable<KeyValue<K, V>>;
  /** Rows whose serialised key begins with these bytes. */
  prefixScan(prefix: Uint8Array): AsyncIterable<KeyValue<K, V>>;
  /** A guess at the number of rows; cheap. */
  approximateNumEntries(): number;
}

/**
 * A key-value store. Point operations are synchronous; ranges are async iterables, because LevelDB's iterators are.
 *
 * Source: Kafka Streams `KeyValueStore`.
 */
export interface KeyValueStore<K, V> extends ReadOnlyKeyValueStore<K, V>, StateStore {
  readonly name: string;
  put(key: K, value: V | undefined): void;
  /** Puts only if absent; returns the value that was there. */
  putIfAbsent(key: K, value: V): V | undefined;
  putAll(entries: Iterable<KeyValue<K, V | undefined>>): void;
  /** Returns the value that was there. */
  delete(key: K): V | undefined;
}

/** A key-value store that keeps a timestamp with each value: what tables and aggregations are made of. */
export interface TimestampedKeyValueStore<K, V> extends KeyValueStore<K, ValueAndTimestamp<V>>, RowAccess<K, V> {
  readonly name: string;
  /** The row of a key, present or not. */
  find(key: K): Row;
}

/** Read access to a versioned store. */
export interface ReadOnlyVersionedKeyValueStore<K, V> {
  readonly name: string;
  /** How far back in time the store answers, ms. */
  readonly historyRetentionMs: number;
  /**
   * The latest value of a key; or, with `asOf`, the one that was valid at that time. Before the history only a latest value
   * that is as old is known.
   */
  get(key: K, asOf?: number): ValueAndTimestamp<V> | undefined;
  /** The latest value of each key, ordered by serialised key. */
  all(): AsyncIterable<KeyValue<K, ValueAndTimestamp<V>>>;
}

/**
 * Values by key and time: each is valid from its timestamp until that of the next one of its key. The order of timestamps
 * counts, not that of the calls.
 *
 * The history reaches back to `observed time − historyRetentionMs`, inclusive, where the observed time is the highest timestamp
 * put. What is older is refused. The latest value of a key never expires. Never cached.
 *
 * As a {@link RowAccess}, `find` and `read` give the latest value; `write` is a `put`, and `lastPut` tells what became of it.
 *
 * Source: Kafka Streams `VersionedKeyValueStore` (KIP-889).
 */
export interface VersionedKeyValueStore<K, V> extends ReadOnlyVersionedKeyValueStore<K, V>, StateStore, RowAccess<K, V> {
  readonly name: string;
  /**
   * Sets the value, absent for a deletion, that is valid from a time on.
   *
   * @returns until when it is valid: the timestamp of the next version, `Infinity` for the latest; `undefined` when it was
   * older than the history, and refused
   */
  put(key: K, value: V | undefined, timestamp: number): number | undefined;
  /** Deletes the key from a time on. @returns what was valid at that time */
  delete(key: K, timestamp: number): ValueAndTimestamp<V> | undefined;
  /** The row of a key's latest value, present or not. */
  find(key: K): Row;
  /** What `put` has returned last. */
  readonly lastPut: number | undefined;
}

/** A key in a window. `end` is exclusive for time windows, inclusive for session windows. */
export interface WindowedKey<K> {
  readonly key: K;
  readonly window: { readonly start: number; readonly end: number };
}

/** Read access to a window store; times are window starts in ms, both bounds inclusive. */
export interface ReadOnlyWindowStore<K, V> {
  readonly name: string;
  fetch(key: K, windowStart: number): V | undefined;
  fetchRange(key: K, from: number, to: number): AsyncIterable<readonly [windowStart: number, value: V]>;
  backwardFetchRange(key: K, from: number, to: number): AsyncIterable<readonly [windowStart: number, value: V]>;
  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  fetchAll(from: number, to: number): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  all(): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  backwardFetchKeys(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    from: number,
    to: number,
  ): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  backwardFetchAll(from: number, to: number): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  backwardAll(): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
}

/**
 * Values by key and window start, dropped when older than the retention.
 *
 * A row is readable while `windowStart > observed time − retention`, where the observed time is the highest start put.
 * Source: Kafka Streams `WindowStore`; the expiry is that of kafka-streams §5.5 (reads clamp exactly).
 */
export interface WindowStore<K, V> extends ReadOnlyWindowStore<K, V>, StateStore {
  readonly name: string;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  put(key: K, value: V | undefined, windowStart: number): void;
}

/** A window store whose values carry timestamps: what windowed aggregations are made of. */
export interface TimestampedWindowStore<K, V> extends WindowStore<K, ValueAndTimestamp<V>>, RowAccess<WindowedKey<K>, V> {
  readonly name: string;
  /**
   * The row of a key and window, present or not. An expired row reads as absent; a write to it is refused and reported
   * through `onExpiredRecord`.
   */
  find(key: K, windowStart: number): Row;
}

/** One session of a key. Belongs to the store; read `value` through the store. */
export interface SessionRow extends Row {
  /** First and last record time of the session, both inclusive. */
  readonly start: number;
  readonly end: number;
}

export interface ReadOnlySessionStore<K, V> {
  readonly name: string;
  fetchSession(key: K, start: number, end: number): V | undefined;
  /** All sessions of a key, in order of end. */
  fetch(key: K): Iterable<KeyValue<WindowedKey<K>, V>>;
  backwardFetch(key: K): Iterable<KeyValue<WindowedKey<K>, V>>;
  /** Sessions of a key with `end ≥ earliestEnd` and `start ≤ latestStart`. */
  findSessions(key: K, earliestEnd: number, latestStart: number): Iterable<KeyValue<WindowedKey<K>, V>>;
  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): Iterable<KeyValue<WindowedKey<K>, V>>;
  /** All sessions of the keys in a range of serialised keys, both bounds inclusive; in no order that is promised. */
  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
  all(): AsyncIterable<KeyValue<WindowedKey<K>, V>>;
}

/** Values by key and session. Source: Kafka Streams `SessionStore`. */
export interface SessionStore<K, V> extends ReadOnlySessionStore<K, V>, StateStore {
  readonly name: string;
  readonly retentionMs: number;
  readonly cached: boolean;
  setFlushListener(listener: FlushListener<WindowedKey<K>, V>, sendOldValues: boolean): void;
  /** The value of a session as the flush listener knows it: that of before the update, while one is held back. */
  fetchReportedSession(key: K, start: number, end: number): V | undefined;
  put(key: K, start: number, end: number, value: V | undefined): void;
  remove(key: K, start: number, end: number): void;
  /**
   * The record path's form of `findSessions`: fills `into` (cleared first) in order of end, without other allocations.
   */
  find(key: K, earliestEnd: number, latestStart: number, into: SessionRow[]): void;
  read(row: SessionRow): V | undefined;
}

/**
 * One side of a stream-stream join: every record of the retention, several per key and time.
 *
 * `fetch` fills the store's own match list, which stays valid until the next `fetch`: nothing is allocated per match.
 * Readable while `timestamp > observed time − retention`. Source: Kafka Streams' window store with `retainDuplicates`.
 */
export interface JoinStore<K, V> extends StateStore {
  readonly name: string;
  readonly retentionMs: number;
  put(key: K, value: V, timestamp: number): void;
  /** Finds the records of a key with `from ≤ timestamp ≤ to`; ordered by time, then arrival. Returns how many. */
  fetch(key: K, from: number, to: number): number;
  matchTimestamp(index: number): number;
  matchValue(index: number): V;
}

/** The side of a join from which a record came. */
export type JoinSide = 'left' | 'right';

/**
 * Records of the outer side(s) of a join that have found no partner yet, scanned in the order time, side (right before
 * left), key bytes. Several records of one key, side and time form one list.
 *
 * Source: Kafka Streams' `KSTREAM-OUTERSHARED` store.
 */
export interface OuterJoinStore<K, L, R> extends StateStore {
  readonly name: string;
  put(side: JoinSide, key: K, value: L | R, timestamp: number): void;
  /** Removes the whole list of that side, key and time. */
  remove(side: JoinSide, key: K, timestamp: number): void;
  /** Lowest timestamp pending, or Infinity. */
  readonly minTimestamp: number;
  /** Puts the cursor before the first list. */
  rewind(): void;
  /** Moves to the next list; false at the end. The `current…` fields then describe it. */
  advance(): boolean;
  readonly currentSide: JoinSide;
  readonly currentKey: K;
  readonly currentTimestamp: number;
  /** Values of the list, in arrival order. */
  readonly currentValues: readonly (L | R)[];
  /** Removes the current list; `advance` then moves to the one after it. */
  removeCurrent(): void;
}
