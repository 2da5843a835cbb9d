import type { Serde } from '@millrace/core';
import type { ChangelogWriter, StoreBuilder, StoreContext } from '../contracts/state-store.ts';
import type { KeyValueStore } from '../contracts/stores.ts';
import type { KeyIdentity } from '../overlay/key-codec.ts';
import type { WriteBatch } from '../write-batch.ts';
import { PlainKeyValueTable } from './key-value-store.ts';
import type { KeyValueTableOptions } from './key-value-table.ts';
import { assertOption, builderBase, COMPACTED, type StoreOptions } from './store-options.ts';
import { storeReader } from './store-reader.ts';

/** Options of stores that keep the most recently used keys only. */
export interface LruStoreOptions extends Omit<StoreOptions, 'inMemory'> {
  /** How many keys the store keeps, ≥ 1. */
  readonly maxEntries: number;
}

/** The keys in order of use, the least recent first. */
type Recency<K> = ReadonlyMap<KeyIdentity, K>;

/** Forgets the least recently used key when there are too many; the changelog gets a tombstone for it. */
class LruTable<K, V> extends PlainKeyValueTable<K, V> {
  readonly #maxEntries: number;
  #recency = new Map<KeyIdentity, K>();
  #prepared: Recency<K> = new Map();
  #committed: Recency<K> = new Map();

  constructor(options: KeyValueTableOptions<K, V>, maxEntries: number) {
    super(options);
    this.#maxEntries = maxEntries;
  }

  override async open(context: StoreContext): Promise<void> {
    await super.open(context);
    await this.#readRecency();
  }

  override async restored(): Promise<void> {
    await super.restored();
    await this.#readRecency();
  }

  /** Which keys were used last is not stored: after a restart the order is that of the keys. */
  async #readRecency(): Promise<void> {
    this.#recency = new Map();
    for await (const [key] of this.all()) this.#recency.set(this.identity(key), key);
    this.#committed = new Map(this.#recency);
    this.#prepared = this.#committed;
  }

  override get(key: K): V | undefined {
    const value = super.get(key);
    if (value !== undefined) this.#use(key);
    return value;
  }

  override put(key: K, value: V | undefined): void {
    super.put(key, value);
    if (value == null) {
      this.#recency.delete(this.identity(key));
      return;
    }
    this.#use(key);
    if (this.#recency.size > this.#maxEntries) this.#evict();
  }

  override putIfAbsent(key: K, value: V): V | undefined {
    const before = this.get(key);
    if (before === undefined) this.put(key, value);
    return before;
  }

  override delete(key: K): V | undefined {
    const before = super.get(key);
    this.put(key, undefined);
    return before;
  }

  #use(key: K): void {
    const identity = this.identity(key);
    this.#recency.delete(identity);
    this.#recency.set(identity, key);
  }

  #evict(): void {
    for (const key of this.#recency.values()) {
      this.put(key, undefined);
      return;
    }
  }

  override prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    super.prepareCommit(batch, changelog);
    this.#prepared = new Map(this.#recency);
  }

  override committed(): void {
    super.committed();
    this.#committed = this.#prepared;
  }

  override rollback(): void {
    super.rollback();
    this.#recency = new Map(this.#committed);
    this.#prepared = this.#committed;
  }
}

/**
 * A store of the most recently used keys, in memory.
 *
 * Source: Kafka Streams `Stores.lruMap`.
 *
 * @example lruStore('seen', string(), int64(), { maxEntries: 10_000 });
 */
export function lruStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: LruStoreOptions,
): StoreBuilder<KeyValueStore<K, V>> {
  assertOption(name, 'maxEntries', options.maxEntries, 1);
  const base = builderBase(name, 'keyValue', { ...options, inMemory: true }, COMPACTED);
  const table = { name, kind: base.kind, keySerde, valueSerde, timestamped: false, cached: false };
  // Who reads from outside uses no key: to a reader the store is a plain one.
  const reader = storeReader(name, keySerde, () => new PlainKeyValueTable(table));
  return { ...base, reader, build: () => new LruTable(table, options.maxEntries) };
}
