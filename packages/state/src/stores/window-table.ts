import { CorruptDataError, ProcessingError, type Serde, ByteBuffer, readInt64, TopologyError } from '@millrace/core';
import type { ChangelogWriter, FlushListener, StateStore, StoreContext } from '../contracts/state-store.ts';
import type { ClosedRowVisitor } from '../contracts/closing-store.ts';
import type { KeyValue, Row, WindowedKey, WindowStore } from '../contracts/stores.ts';
import { INDEX_TAG, KeySpace, ROW_TAG } from '../layout/key-space.ts';
import { asBuffer } from '../layout/byte-views.ts';
import { MetaRow } from '../layout/meta-row.ts';
import { BUCKET_PREFIX_BYTES, Retention, segmentWidthMs } from '../layout/retention.ts';
import { Bucket } from '../overlay/entry.ts';
import { type KeyCodec, type KeyIdentity, keyCodec, RAW_KEYS } from '../overlay/key-codec.ts';
import { valueCodec } from '../overlay/value-codec.ts';
import { RowEntry } from '../table/row-entry.ts';
import { restoreRow } from '../table/restore-row.ts';
import { type RowLayout, RowTable } from '../table/row-table.ts';
import type { WriteBatch } from '../write-batch.ts';
import { sortByKeyBytes } from './closing/sort-by-key-bytes.ts';
import { ClosingRows } from './closing/closing-rows.ts';
import { StartIndex } from './window/start-index.ts';
import { WindowReads } from './window/window-reads.ts';
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
  /** How long after its start a window can still change; given when results are emitted once, when windows close. */
  readonly closesAfterMs: number | undefined;
  /** Given when operators ask for ranges of windows of a key: about how long these are. */
  readonly startIndexSpanMs: number | undefined;
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
export abstract class WindowTable<K, V, R> extends WindowReads<K, R> implements StateStore, WindowStore<K, R> {
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
  #space!: KeySpace;
  #context!: StoreContext;
  #starts: StartIndex<K> | undefined;
  #closing: ClosingRows | undefined;
  /** The index as it is filled while restoring, which must not run user code. */
  #restoring: StartIndex<string> | undefined;

  constructor(options: WindowTableOptions<K, V>) {
    super();
    this.name = options.name;
    this.kind = options.kind;
    this.windowSizeMs = options.windowSizeMs;
    this.retentionMs = options.retentionMs;
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
    const { name, keySerde, valueSerde, timestamped, cached, startIndexSpanMs } = this.#options;
    const indexed = startIndexSpanMs !== undefined;
    const space = new KeySpace(context.storeId);
    this.#context = context;
    this.#space = space;
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(
      space,
      this.retentionMs,
      segmentWidthMs(this.retentionMs),
      indexed ? [ROW_TAG, INDEX_TAG] : [ROW_TAG],
    );
    this.#starts = indexed ? this.#startIndex(this.#keys, startIndexSpanMs) : undefined;
    this.#closing = this.#closingRows();
    const values = valueCodec(valueSerde, context.changelogTopic);
    this.#table = new RowTable({ name, layout: this.#layout(), values, timestamped, cached, context });
    await this.restored();
  }

  #startIndex<I>(keys: KeyCodec<I>, spanMs: number): StartIndex<I> {
    const { database, cleanCacheBytes } = this.#context;
    return new StartIndex({ database, retention: this.#retention, keys, cleanCacheBytes, spanMs });
  }

  #closingRows(): ClosingRows | undefined {
    const { closesAfterMs } = this.#options;
    if (closesAfterMs === undefined) return undefined;
    return new ClosingRows({ retention: this.#retention, closesAfterMs, onExpired: () => this.#dropExpired() });
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

  /** An end that no number counts exactly is none: the window is unlimited. */
  #windowedKey(key: K, start: number): WindowedKey<K> {
    const end = start + this.windowSizeMs;
    return { key, window: { start, end: end < Number.MAX_SAFE_INTEGER ? end : Infinity } };
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

  readReported(row: Row): V | undefined {
    return this.#table.readReported(row);
  }

  markSeen(row: Row): void {
    this.#table.markSeen(row);
  }

  write(row: Row, value: V | undefined, timestamp: number): void {
    const entry = row as RowEntry;
    const windowStart = entry.bucket.id;
    if (this.#retention.observe(windowStart)) this.#dropExpired();
    if (!this.#retention.isWritable(windowStart)) {
      this.#context.onExpiredRecord(this.name, windowStart);
      return;
    }
    if (this.#starts !== undefined || this.#closing !== undefined) this.#notePresence(entry, value != null);
    this.#table.write(row, value, timestamp);
  }

  #dropExpired(): void {
    const oldest = this.#retention.oldestReadable;
    this.#table.overlay.dropBucketsBelow(oldest);
    this.#starts?.dropBefore(oldest);
  }

  /** A row is about to be made, changed or deleted. */
  #notePresence({ bucket: { id: start }, identity, held }: RowEntry, present: boolean): void {
    if (present === (held !== undefined) || !this.#retention.isReadable(start)) return;
    if (present) this.#starts?.add(identity, start);
    this.#closing?.note(start, identity, present);
  }

  /** See `StartIndexedWindowStore`; only of stores that were made with a start index. */
  findStarts(key: K, from: number, to: number, into: number[]): void {
    if (this.#starts === undefined) throw this.#lacks('startIndexSpanMs', 'find the windows of a key');
    into.length = 0;
    this.#starts.find(this.#keys.identity(key), Math.max(from, this.#retention.oldestReadable), to, into);
  }

  // ---- see `ClosingStore`; only of stores that know when their windows close ----

  get emittedUntil(): number {
    return this.#closing?.emittedUntil ?? -1;
  }

  emitClosed(closeTime: number, visit: ClosedRowVisitor<K, V>): void {
    if (this.#closing === undefined) throw this.#lacks('closesAfterMs', 'tell which windows have closed');
    this.#closing.emit(closeTime, ({ time, keys }) => {
      const bucket = this.#table.overlay.bucket(time);
      const entries = Array.from(keys, (identity) => this.#table.find(bucket, identity));
      for (const entry of sortByKeyBytes(entries, this.#keys)) {
        const value = this.#table.read(entry);
        if (value !== undefined) visit(this.#windowedKey(this.#keys.key(entry.identity), time), value, entry.timestamp);
      }
    });
  }

  resumeEmission(closeTime: number): void {
    this.#closing?.resume(closeTime);
  }

  #lacks(option: string, ability: string): TopologyError {
    return new TopologyError('STORE_NOT_INDEXED', `a window store cannot ${ability}; make it with the option \`${option}\``, {
      store: this.name,
    });
  }

  put(key: K, result: R | undefined, windowStart: number): void {
    const value = result == null ? undefined : this.valueIn(result);
    this.write(this.#entry(key, windowStart), value, this.timestampOf(result ?? undefined));
  }

  fetch(key: K, windowStart: number): R | undefined {
    const entry = this.#entry(key, windowStart);
    const value = this.#table.read(entry);
    return value === undefined ? undefined : this.result(value, entry.timestamp);
  }

  protected async *scan(scan: WindowScan): AsyncGenerator<KeyValue<WindowedKey<K>, R>, void> {
    for await (const [rowKey, row] of scanWindows(this.#table, this.#context.database, this.#retention, scan)) {
      const keyEnd = rowKey.length - WINDOW_SUFFIX_BYTES;
      const key = this.#keys.key(this.#keys.identityAt(rowKey, BUCKET_PREFIX_BYTES, keyEnd));
      yield [this.#windowedKey(key, readInt64(rowKey, keyEnd)), this.result(row.value, row.timestamp)];
    }
  }

  protected keyBytes(key: K): Buffer {
    const target = new ByteBuffer(64);
    this.#keys.write(this.#keys.identity(key), target);
    return Buffer.from(target.view());
  }

  flushCache(): void {
    this.#table.flushCache();
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#table.prepareCommit(batch, changelog);
    this.#starts?.prepareCommit(batch);
    this.#closing?.prepareCommit();
    if (!this.#retention.hasMoved && this.#closing?.hasMoved !== true) return;
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, this.#metaNumbers());
  }

  #metaNumbers(): number[] {
    const { observed } = this.#retention;
    return this.#closing === undefined ? [observed] : [observed, this.#closing.emittedUntil];
  }

  committed(): void {
    this.#table.committed();
    this.#starts?.committed();
    this.#closing?.committed();
    this.#retention.committed();
  }

  rollback(): void {
    this.#table.rollback();
    this.#starts?.rollback();
    this.#retention.rollback();
    this.#closing?.rollback();
  }

  get dirtyBytes(): number {
    return this.#table.dirtyBytes + (this.#starts?.dirtyBytes ?? 0);
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
    this.#closing?.restoring();
    if (this.#retention.observe(windowStart)) this.#retention.prepareCommit(batch);
    this.#meta.save(batch, this.#metaNumbers());
    if (!this.#retention.isStored(windowStart)) return;
    if (valueStart >= 0) this.#restoreStart(source, keyStart, startAt, windowStart, batch);
    batch.begin();
    this.#retention.writeBucket(batch.scratch, this.#retention.bucketOf(windowStart));
    const rowTimestamp = this.#options.timestamped ? timestamp : undefined;
    restoreRow(batch, rowTimestamp, source, keyStart, keyEnd, valueStart, valueEnd);
  }

  #restoreStart(source: Buffer, keyStart: number, keyEnd: number, windowStart: number, batch: WriteBatch): void {
    const { startIndexSpanMs } = this.#options;
    if (startIndexSpanMs === undefined) return;
    this.#restoring ??= this.#startIndex(RAW_KEYS, startIndexSpanMs);
    this.#restoring.restore(RAW_KEYS.identityAt(source, keyStart, keyEnd), windowStart, batch);
  }

  async restored(): Promise<void> {
    const numbers = [-1, -1];
    this.#meta.load(this.#context.database, numbers);
    const [observed, emittedUntil] = numbers as [number, number];
    this.#restoring = undefined;
    this.#retention.reset(observed);
    this.#table.overlay.trustEmptyFrom(observed + 1);
    this.#starts?.trustEmptyFrom(observed);
    await this.#closing?.load(emittedUntil, (from, add) => this.#scanFrom(from, add));
  }

  async #scanFrom(from: number, add: (start: number, key: KeyIdentity) => void): Promise<void> {
    const first = new ByteBuffer(BUCKET_PREFIX_BYTES);
    this.#retention.writeBucket(first, this.#retention.bucketOf(from));
    const range = { gte: first.view(), lt: this.#space.bound(ROW_TAG + 1) };
    for await (const [rowKey] of this.#context.database.entries(range)) {
      const key = asBuffer(rowKey);
      const keyEnd = key.length - WINDOW_SUFFIX_BYTES;
      add(readInt64(key, keyEnd), this.#keys.identityAt(key, BUCKET_PREFIX_BYTES, keyEnd));
    }
  }

  close(): void {
    this.#table.rollback();
    this.#starts?.rollback();
  }
}
