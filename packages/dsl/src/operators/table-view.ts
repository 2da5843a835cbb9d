import type {
  SessionStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  WindowedKey,
} from '@millrace/state';
import type { NodeContext } from '@millrace/topology';
import type { Predicate, ValueMapper } from './callbacks.ts';
import { filterTableValue } from './table-filter.ts';
import { mapTableValue } from './table-map-values.ts';

/**
 * How a table's rows are looked up by another node (a join). A table without a store of its own is looked up in its parent,
 * and its function is run again on the result; so such functions must be pure.
 *
 * Source: Kafka Streams `KTableValueGetterSupplier`.
 */
export interface TableView<K, V> {
  /** Names of the stores that the looking node must be connected to. */
  readonly stores: readonly string[];
  /** How far back the past of the rows can be looked up, ms; absent when only the present can. */
  readonly historyRetentionMs?: number | undefined;
  /** A new getter for one node of one task. */
  createGetter(): TableValueGetter<K, V>;
}

export interface TableValueGetter<K, V> {
  /** Called once, with the context of the node that looks. */
  init(context: NodeContext): void;
  /** The row's current value, `undefined` when there is none. */
  get(key: K): V | undefined;
  /**
   * The row's value as those who get the table's changes know it: without an update that a cache holds back until its flush.
   * Leaves `timestamp` alone.
   */
  getReported(key: K): V | undefined;
  /**
   * Something was made of the row's current value that has to be taken back when the row is deleted, even if a cache has told
   * nobody of the row yet. Absent where rows are never held back, or made of several.
   */
  markSeen?(key: K): void;
  /** The row's value at a time; there when the view has a history. Leaves `timestamp` alone. */
  getAsOf?(key: K, timestamp: number): V | undefined;
  /** Of the row that the last `get` returned; −1 when there was none. */
  readonly timestamp: number;
  /** Called with the node's. */
  close?(): void;
}

/** A table with a timestamped key-value store, or with a versioned one, which has a history. */
export function storedTableView<K, V>(store: string, historyRetentionMs?: number): TableView<K, V> {
  if (historyRetentionMs !== undefined) {
    return { stores: [store], historyRetentionMs, createGetter: () => new VersionGetter<K, V>(store) };
  }
  return { stores: [store], createGetter: () => new StoreGetter<K, V>(store) };
}

/** A time-windowed table; keys carry their window. */
export function windowStoreView<K, V>(store: string): TableView<WindowedKey<K>, V> {
  return { stores: [store], createGetter: () => new WindowStoreGetter<K, V>(store) };
}

/** A session-windowed table; keys carry their window. */
export function sessionStoreView<K, V>(store: string): TableView<WindowedKey<K>, V> {
  return { stores: [store], createGetter: () => new SessionStoreGetter<K, V>(store) };
}

/** A filtered table without store. */
export function filteredTableView<K, V>(parent: TableView<K, V>, predicate: Predicate<K, V>, negate: boolean): TableView<K, V> {
  const { stores, historyRetentionMs } = parent;
  return { stores, historyRetentionMs, createGetter: () => new FilterGetter(parent.createGetter(), predicate, negate) };
}

/** A mapped table without store. */
export function mappedTableView<K, V, R>(parent: TableView<K, V>, mapper: ValueMapper<K, V, R>): TableView<K, R> {
  const { stores, historyRetentionMs } = parent;
  return { stores, historyRetentionMs, createGetter: () => new MapGetter(parent.createGetter(), mapper) };
}

type RowStore<K, V> = TimestampedKeyValueStore<K, V> | VersionedKeyValueStore<K, V>;

class StoreGetter<K, V, S extends RowStore<K, V> = TimestampedKeyValueStore<K, V>> implements TableValueGetter<K, V> {
  timestamp = -1;
  protected store!: S;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  init(context: NodeContext): void {
    this.store = context.getStore(this.#name);
  }

  get(key: K): V | undefined {
    const row = this.store.find(key);
    this.timestamp = row.timestamp;
    return this.store.read(row);
  }

  getReported(key: K): V | undefined {
    return this.store.readReported(this.store.find(key));
  }

  markSeen(key: K): void {
    this.store.markSeen(this.store.find(key));
  }
}

class VersionGetter<K, V> extends StoreGetter<K, V, VersionedKeyValueStore<K, V>> {
  getAsOf(key: K, timestamp: number): V | undefined {
    return this.store.get(key, timestamp)?.value;
  }
}

class WindowStoreGetter<K, V> implements TableValueGetter<WindowedKey<K>, V> {
  timestamp = -1;
  readonly #name: string;
  #store!: TimestampedWindowStore<K, V>;

  constructor(name: string) {
    this.#name = name;
  }

  init(context: NodeContext): void {
    this.#store = context.getStore(this.#name);
  }

  get(key: WindowedKey<K>): V | undefined {
    const row = this.#store.find(key.key, key.window.start);
    this.timestamp = row.timestamp;
    return this.#store.read(row);
  }

  getReported(key: WindowedKey<K>): V | undefined {
    return this.#store.readReported(this.#store.find(key.key, key.window.start));
  }
}

class SessionStoreGetter<K, V> implements TableValueGetter<WindowedKey<K>, V> {
  timestamp = -1;
  readonly #name: string;
  #store!: SessionStore<K, V>;

  constructor(name: string) {
    this.#name = name;
  }

  init(context: NodeContext): void {
    this.#store = context.getStore(this.#name);
  }

  get(key: WindowedKey<K>): V | undefined {
    const value = this.#store.fetchSession(key.key, key.window.start, key.window.end);
    this.timestamp = value == null ? -1 : key.window.end;
    return value;
  }

  getReported(key: WindowedKey<K>): V | undefined {
    return this.#store.fetchReportedSession(key.key, key.window.start, key.window.end);
  }
}

class FilterGetter<K, V> implements TableValueGetter<K, V> {
  readonly #parent: TableValueGetter<K, V>;
  readonly #predicate: Predicate<K, V>;
  readonly #negate: boolean;

  constructor(parent: TableValueGetter<K, V>, predicate: Predicate<K, V>, negate: boolean) {
    this.#parent = parent;
    this.#predicate = predicate;
    this.#negate = negate;
  }

  init(context: NodeContext): void {
    this.#parent.init(context);
  }

  get timestamp(): number {
    return this.#parent.timestamp;
  }

  get(key: K): V | undefined {
    return filterTableValue(this.#predicate, this.#negate, key, this.#parent.get(key));
  }

  getReported(key: K): V | undefined {
    return filterTableValue(this.#predicate, this.#negate, key, this.#parent.getReported(key));
  }

  markSeen(key: K): void {
    this.#parent.markSeen?.(key);
  }

  getAsOf(key: K, timestamp: number): V | undefined {
    return filterTableValue(this.#predicate, this.#negate, key, this.#parent.getAsOf?.(key, timestamp));
  }

  close(): void {
    this.#parent.close?.();
  }
}

class MapGetter<K, V, R> implements TableValueGetter<K, R> {
  readonly #parent: TableValueGetter<K, V>;
  readonly #mapper: ValueMapper<K, V, R>;

  constructor(parent: TableValueGetter<K, V>, mapper: ValueMapper<K, V, R>) {
    this.#parent = parent;
    this.#mapper = mapper;
  }

  init(context: NodeContext): void {
    this.#parent.init(context);
  }

  get timestamp(): number {
    return this.#parent.timestamp;
  }

  get(key: K): R | undefined {
    return mapTableValue(this.#mapper, key, this.#parent.get(key));
  }

  getReported(key: K): R | undefined {
    return mapTableValue(this.#mapper, key, this.#parent.getReported(key));
  }

  markSeen(key: K): void {
    this.#parent.markSeen?.(key);
  }

  getAsOf(key: K, timestamp: number): R | undefined {
    return mapTableValue(this.#mapper, key, this.#parent.getAsOf?.(key, timestamp));
  }

  close(): void {
    this.#parent.close?.();
  }
}
