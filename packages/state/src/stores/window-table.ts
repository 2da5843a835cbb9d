import { CorruptDataError, ProcessingError, type Serde, ByteBuffer, readInt64 } from '@millrace/core';
import type { ChangelogWriter, FlushListener, StateStore, StoreContext } from '../contracts/state-store.ts';
import type { KeyValue, Row, WindowedKey, WindowStore } from '../contracts/stores.ts';
import { KeySpace } from '../layout/key-space.ts';
import { MetaRow } from '../layout/meta-row.ts';
import { BUCKET_PREFIX_BYTES, Retention, segmentWidthMs } from '../layout/retention.ts';
import { Bucket } from '../overlay/entry.ts';
import { type KeyCodec, keyCodec } from '../overlay/key-codec.ts';
import { valueCodec } from '../overlay/value-codec.ts';
import { RowEntry } from '../table/row-entry.ts';
import { type RowLayout, RowTable } from '../table/row-table.ts';
import type { WriteBatch } from '../write-batch.ts';
import { scanWindows, WINDOW_SUFFIX_BYTES, type WindowScan } from './window-scan.ts';

/** What a window store is made with. */
export interface WindowTableOptions<K, V> {
  readonly name: string;
  readonly kind: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly timestamped: boolean;
  readonly cached: boolean;
}

/**
 * What all window stores have in common. `R` is what the store's users see of a row: the value, alone or with its timestamp.
 *
 * Layout   `[store id][1][segment, int64][key][start, int64][0, int32]` → `[value]` or `[timestamp, int64][value]`. The
 *          changelog key is the part from `key` on, its value the bare value: Kafka Streams' bytes.
 * Memory   one map per window start, which expiry drops as a whole.
 *
 * Source: Kafka Streams `RocksDBWindowStore`, `WindowKeySchema`; expiry: {@link Retention}.
 */
export abstract class WindowTable<K, V, R> implements StateStore, WindowStore<K, R> {
  readonly name: string;
  readonly kind: string;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #options: WindowTableOptions<K, V>;
  // Set by `open`, which comes before everything else.
  #table!: RowTable<WindowedKey<K>, V>;
  #keys!: KeyCodec<K>;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;

  constructor(options: WindowTableOptions<K, V>) {
    this.name = options.name;
    this.kind = options.kind;
    this.windowSizeMs = options.windowSizeMs;
    this.retentionMs = options.retentionMs;
    this.#options = options;
  }

  /** What users see of a row. */
  protected abstract result(value: V, timestamp: number): R;
  protected abstract valueOf(result: R): V | undefined;
  protected abstract timestampOf(result: R | undefined): number;

  /** The time of the record in work: that of writes which bring none of their own. */
  protected get recordTimestamp(): number {
    return this.#context.recordContext.timestamp;
  }

  async open(context: StoreContext): Promise<void> {
    const { name, keySerde, valueSerde, timestamped, cached } = this.#options;
    const space = new KeySpace(context.storeId);
    this.#context = context;
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(space, this.retentionMs, segmentWidthMs(this.retentionMs));
    const values = valueCodec(valueSerde, context.changelogTopic);
    this.#table = new RowTable({ name, layout: this.#layout(), values, timestamped, cached, context });
    await this.restored();
  }

  #layout(): RowLayout<WindowedKey<K>> {
    const keys = this.#keys;
    const retention = this.#retention;
    return {
      changelogKeyStart: BUCKET_PREFIX_BYTES,
      writeKey(entry, target) {
        retention.writeBucket(target, retention.bucketOf(entry.bucket.id));
        keys.write(entry.identity, target);
        target.writeInt64(entry.bucket.id);
        target.writeInt32(0);
      },
      userKey: (entry) => this.#windowedKey(keys.key(entry.identity), entry.bucket.id),
      keySize: (entry) => keys.size(entry.identity),
      isStored: (entry) => retention.isStored(entry.bucket.id),
      isNews: (entry) => retention.isNews(entry.bucket.id),
    };
  }

  #windowedKey(key: K, start: number): WindowedKey<K> {
    return { key, window: { start, end: Math.min(start + this.windowSizeMs, Number.MAX_SAFE_INTEGER) } };
  }

  get cached(): boolean {
    return this.#table.cached;
  }

  setFlushListener(listener: FlushListener<WindowedKey<K>, V>, sendOldValues: boolean): void {
    this.#table.setFlushListener(listener, sendOldValues);
  }

  /** The row of a key and window, present or not; an expired one reads as absent. */
  find(key: K, windowStart: number): Row {
    return this.#entry(key, windowStart);
  }

  #entry(key: K, windowStart: number): RowEntry {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a store was asked for an absent key; check for it before', {
        store: this.name,
      });
    }
    const identity = this.#keys.identity(key);
    if (!this.#retention.isReadable(windowStart)) return new RowEntry(new Bucket(windowStart), identity);
    return this.#table.find(this.#table.overlay.bucket(windowStart), identity);
  }

  read(row: Row): V | undefined {
    return this.#table.read(row);
  }

  write(row: Row, value: V | undefined, timestamp: number): void {
    const windowStart = (row as RowEntry).bucket.id;
    if (this.#retention.observe(windowStart)) this.#table.overlay.dropBucketsBelow(this.#retention.oldestReadable);
    if (this.#retention.isWritable(windowStart)) this.#table.write(row, value, timestamp);
    else this.#context.onExpiredRecord(this.name, windowStart);
  }

  put(key: K, result: R | undefined, windowStart: number): void {
    const value = result == null ? undefined : this.valueOf(result);
    this.write(this.#entry(key, windowStart), value, this.timestampOf(result ?? undefined));
  }

  fetch(key: K, windowStart: number): R | undefined {
    const entry = this.#entry(key, windowStart);
    const value = this.#table.read(entry);
    return value === undefined ? undefined : this.result(value, entry.timestamp);
  }

  fetchRange(key: K, from: number, to: number): AsyncIterable<readonly [windowStart: number, value: R]> {
    return this.#fetchOne(key, from, to, false);
  }

  backwardFetchRange(key: K, from: number, to: number): AsyncIterable<readonly [windowStart: number, value: R]> {
    return this.#fetchOne(key, from, to, true);
  }

  async *#fetchOne(key: K, from: number, to: number, reverse: boolean): AsyncGenerator<readonly [number, R], void> {
    const bytes = this.#keyBytes(key);
    for await (const [{ window }, value] of this.#scan({ keyFrom: bytes, keyTo: bytes, from, to, reverse })) {
      yield [window.start, value];
    }
  }

  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): AsyncIterable<KeyValue<WindowedKey<K>, R>> {
    return this.#scan({ keyFrom: this.#keyBytes(keyFrom), keyTo: this.#keyBytes(keyTo), from, to, reverse: false });
  }

  fetchAll(from: number, to: number): AsyncIterable<KeyValue<WindowedKey<K>, R>> {
    return this.#scan({ keyFrom: undefined, keyTo: undefined, from, to, reverse: false });
  }

  all(): AsyncIterable<KeyValue<WindowedKey<K>, R>> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  async *#scan(scan: WindowScan): AsyncGenerator<KeyValue<WindowedKey<K>, R>, void> {
    for await (const [rowKey, row] of scanWindows(this.#table, this.#context.database, this.#retention, scan)) {
      const keyEnd = rowKey.length - WINDOW_SUFFIX_BYTES;
      const key = this.#keys.key(this.#keys.identityAt(rowKey, BUCKET_PREFIX_BYTES, keyEnd));
      yield [this.#windowedKey(key, readInt64(rowKey, keyEnd)), this.result(row.value, row.timestamp)];
    }
  }

  #keyBytes(key: K | undefined): Buffer | undefined {
    if (key == null) return undefined;
    const target = new ByteBuffer(64);
    this.#keys.write(this.#keys.identity(key), target);
    return Buffer.from(target.view());
  }

  flushCache(): void {
    this.#table.flushCache();
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#table.prepareCommit(batch, changelog);
    if (!this.#retention.hasMoved) return;
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed]);
  }

  committed(): void {
    this.#table.committed();
    this.#retention.committed();
  }

  rollback(): void {
    this.#table.rollback();
    this.#retention.rollback();
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
    const startAt = keyEnd - WINDOW_SUFFIX_BYTES;
    if (startAt < keyStart)
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for a window key', { store: this.name });
    const windowStart = readInt64(source, startAt);
    if (this.#retention.observe(windowStart)) this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed]);
    if (!this.#retention.isStored(windowStart)) return;
    const { scratch } = batch;
    batch.begin();
    this.#retention.writeBucket(scratch, this.#retention.bucketOf(windowStart));
    scratch.writeRange(source, keyStart, keyEnd);
    batch.endKey();
    if (valueStart < 0) {
      batch.delete();
      return;
    }
    if (this.#options.timestamped) scratch.writeInt64(timestamp);
    scratch.writeRange(source, valueStart, valueEnd);
    batch.put();
  }

  async restored(): Promise<void> {
    const numbers = [-1];
    this.#meta.load(this.#context.database, numbers);
    this.#retention.reset(numbers[0] as number);
  }

  close(): void {
    this.#table.rollback();
  }
}
