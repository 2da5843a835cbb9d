import { ByteBuffer, ProcessingError, type Serde } from '@millrace/core';
import type { ChangelogWriter, FlushListener, StateStore, StoreContext } from '../contracts/state-store.ts';
import type { KeyValue, KeyValueStore, Row, ValueAndTimestamp } from '../contracts/stores.ts';
import { prefixEnd, successor } from '../layout/byte-views.ts';
import { KeySpace, PREFIX_BYTES, ROW_TAG } from '../layout/key-space.ts';
import { MetaRow } from '../layout/meta-row.ts';
import { type KeyCodec, type KeyIdentity, keyCodec } from '../overlay/key-codec.ts';
import { valueCodec } from '../overlay/value-codec.ts';
import { mergedScan, type ScanSource } from '../layout/merged-scan.ts';
import type { RowEntry } from '../table/row-entry.ts';
import { restoreRow } from '../table/restore-row.ts';
import { type RowLayout, RowTable } from '../table/row-table.ts';
import type { WriteBatch } from '../write-batch.ts';

/** What a key-value store is made with. */
export interface KeyValueTableOptions<K, V> {
  readonly name: string;
  readonly kind: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly timestamped: boolean;
  readonly cached: boolean;
}

/** Rows of a key-value store as scans see them. */
export type KeyValueRows<V> = ScanSource<RowEntry, ValueAndTimestamp<V>>;

/**
 * What all key-value stores have in common. `R` is what the store's users see of a row: the value, alone or with its timestamp.
 *
 * Layout   `[store id][1][key]` → `[value]` or `[timestamp, int64][value]`; the changelog has key → value.
 */
export abstract class KeyValueTable<K, V, R> implements StateStore, KeyValueStore<K, R> {
  readonly name: string;
  readonly kind: string;
  readonly #options: KeyValueTableOptions<K, V>;
  // Set by `open`, which comes before everything else.
  #table!: RowTable<K, V>;
  #keys!: KeyCodec<K>;
  #space!: KeySpace;
  #meta!: MetaRow;
  #context!: StoreContext;
  /** Whether rows have been restored since the number of rows was saved. */
  #hasRestored = false;

  constructor(options: KeyValueTableOptions<K, V>) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
  }

  /** What users see of a row. */
  protected abstract result(value: V, timestamp: number): R;
  protected abstract valueIn(result: R): V | undefined;
  protected abstract timestampOf(result: R | undefined): number;

  /** The time of the record in work: that of writes which bring none of their own. */
  protected get recordTimestamp(): number {
    return this.#context.recordContext.timestamp;
  }

  async open(context: StoreContext): Promise<void> {
    const { name, keySerde, valueSerde, timestamped, cached } = this.#options;
    this.#context = context;
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#space = new KeySpace(context.storeId);
    this.#meta = new MetaRow(this.#space);
    const values = valueCodec(valueSerde, context.changelogTopic);
    this.#table = new RowTable({ name, layout: keyValueLayout(this.#space, this.#keys), values, timestamped, cached, context });
    await this.restored();
  }

  get cached(): boolean {
    return this.#table.cached;
  }

  setFlushListener(listener: FlushListener<K, V>, sendOldValues: boolean): void {
    this.#table.setFlushListener(listener, sendOldValues);
  }

  /** The row of a key, present or not. */
  find(key: K): Row {
    return this.#entry(key);
  }

  read(row: Row): V | undefined {
    return this.#table.read(row);
  }

  readReported(row: Row): V | undefined {
    return this.#table.readReported(row);
  }

  markSeen(row: Row): void {
    this.#table.markSeen(row);
  }

  write(row: Row, value: V | undefined, timestamp: number): void {
    this.#table.write(row, value, timestamp);
  }

  get(key: K): R | undefined {
    return this.#resultOf(this.#entry(key));
  }

  put(key: K, result: R | undefined): void {
    this.#put(this.#entry(key), result);
  }

  putIfAbsent(key: K, result: R): R | undefined {
    const entry = this.#entry(key);
    const before = this.#resultOf(entry);
    if (before === undefined) this.#put(entry, result);
    return before;
  }

  putAll(entries: Iterable<KeyValue<K, R | undefined>>): void {
    for (const [key, result] of entries) this.put(key, result);
  }

  delete(key: K): R | undefined {
    const entry = this.#entry(key);
    const before = this.#resultOf(entry);
    this.#put(entry, undefined);
    return before;
  }

  #entry(key: K): RowEntry {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a store was asked for an absent key; check for it before', {
        store: this.name,
      });
    }
    return this.#table.find(this.#table.overlay.root, this.#keys.identity(key));
  }

  /** What stands for a key in a `Map`. */
  protected identity(key: K): KeyIdentity {
    return this.#keys.identity(key);
  }

  #resultOf(entry: RowEntry): R | undefined {
    const value = this.#table.read(entry);
    return value === undefined ? undefined : this.result(value, entry.timestamp);
  }

  #put(entry: RowEntry, result: R | undefined): void {
    const value = result == null ? undefined : this.valueIn(result);
    this.write(entry, value, this.timestampOf(result ?? undefined));
  }

  range(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, R>> {
    return this.#scan(this.#keyBytes(from), this.#endAfter(to), false);
  }

  reverseRange(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, R>> {
    return this.#scan(this.#keyBytes(from), this.#endAfter(to), true);
  }

  all(): AsyncIterable<KeyValue<K, R>> {
    return this.range(undefined, undefined);
  }

  reverseAll(): AsyncIterable<KeyValue<K, R>> {
    return this.reverseRange(undefined, undefined);
  }

  prefixScan(prefix: Uint8Array): AsyncIterable<KeyValue<K, R>> {
    const start = Buffer.concat([this.#space.bound(ROW_TAG), prefix]);
    return this.#scan(start, prefixEnd(start) as Buffer, false, this.uncommittedRows(prefix, this.#table));
  }

  /** The uncommitted rows that a prefix scan merges over those in the database: all, or fewer where it is known which matter. */
  protected uncommittedRows(_prefix: Uint8Array, all: KeyValueRows<V>): KeyValueRows<V> {
    return all;
  }

  async *#scan(
    gte: Buffer,
    lt: Buffer,
    reverse: boolean,
    rows: KeyValueRows<V> = this.#table,
  ): AsyncGenerator<KeyValue<K, R>, void> {
    const scan = mergedScan(rows, { database: this.#context.database, range: { gte, lt }, reverse });
    for await (const [key, { value, timestamp }] of scan) {
      yield [this.#keys.key(this.#keys.identityAt(key, PREFIX_BYTES, key.length)), this.result(value, timestamp)];
    }
  }

  #keyBytes(key: K | undefined): Buffer {
    const target = new ByteBuffer(64);
    this.#space.writePrefix(target, ROW_TAG);
    if (key != null) this.#keys.write(this.#keys.identity(key), target);
    return Buffer.from(target.view());
  }

  #endAfter(key: K | undefined): Buffer {
    return key == null ? this.#space.bound(ROW_TAG + 1) : successor(this.#keyBytes(key));
  }

  approximateNumEntries(): number {
    return this.#table.rows;
  }

  flushCache(): void {
    this.#table.flushCache();
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const before = this.#table.rows;
    this.#table.prepareCommit(batch, changelog);
    if (this.#table.rows === before && !this.#hasRestored) return;
    this.#meta.save(batch, [this.#table.rows]);
    this.#hasRestored = false;
  }

  committed(): void {
    this.#table.committed();
  }

  rollback(): void {
    this.#table.rollback();
  }

  get dirtyBytes(): number {
    return this.#table.dirtyBytes;
  }

  restore(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    batch.begin();
    this.#space.writePrefix(batch.scratch, ROW_TAG);
    const rowTimestamp = this.#options.timestamped ? timestamp : undefined;
    restoreRow(batch, rowTimestamp, source, keyStart, keyEnd, valueStart, valueEnd);
    this.#table.rows += valueStart < 0 ? -1 : 1;
    this.#hasRestored = true;
  }

  async restored(): Promise<void> {
    // The count is a guess, not worth a row per restored record: the next commit saves it.
    if (this.#hasRestored) return;
    const counts = [0];
    this.#meta.load(this.#context.database, counts);
    this.#table.rows = counts[0] as number;
  }

  close(): void {
    this.#table.rollback();
  }
}

function keyValueLayout<K>(space: KeySpace, keys: KeyCodec<K>): RowLayout<K> {
  return {
    changelogKeyStart: PREFIX_BYTES,
    writeKey(entry, target) {
      space.writePrefix(target, ROW_TAG);
      keys.write(entry.identity, target);
    },
    userKey: (entry) => keys.key(entry.identity),
    keySize: (entry) => keys.size(entry.identity),
    isStored: () => true,
    isNews: () => false,
  };
}
