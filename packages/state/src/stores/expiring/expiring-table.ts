import { ByteBuffer, ProcessingError } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { KeyValue, KeyValueStore } from '../../contracts/stores.ts';
import { prefixEnd, successor } from '../../layout/byte-views.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { mergedScan } from '../../layout/merged-scan.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { BUCKET_PREFIX_BYTES, Retention } from '../../layout/retention.ts';
import { type KeyCodec, type KeyIdentity, keyCodec } from '../../overlay/key-codec.ts';
import { valueCodec } from '../../overlay/value-codec.ts';
import type { RowEntry } from '../../table/row-entry.ts';
import { restoreRow } from '../../table/restore-row.ts';
import { type RowLayout, RowTable } from '../../table/row-table.ts';
import type { WriteBatch } from '../../write-batch.ts';
import type { KeyValueTableOptions } from '../key-value-table.ts';
import { mergeByKey } from './merge-by-key.ts';

/** What a store whose rows expire is made with. */
export interface ExpiringTableOptions<K, V>
  extends Pick<KeyValueTableOptions<K, V>, 'name' | 'kind' | 'keySerde' | 'valueSerde'> {
  readonly ttlMs: number;
}

/** A time to live is divided into so many buckets: each is looked into for a key that memory does not know. */
const BUCKETS_PER_TTL = 2;

/**
 * A key-value store whose rows expire.
 *
 * The time of a row is the stream time at its last write: the highest timestamp of the records with which values have been
 * put. So times never go back, a row of a late record lives as long as any other, and the row of a key is in the newest bucket
 * that has one. A row can be read while `time > stream time − ttl`.
 *
 * Layout   `[store id][1][time bucket, int64][key]` → `[time, int64][value]`; buckets expire as a whole, by range deletes. The
 *          changelog has key → value with the time of the row; no record says that a row has expired.
 */
export class ExpiringTable<K, V> implements StateStore, KeyValueStore<K, V> {
  readonly name: string;
  readonly kind: string;
  readonly #options: ExpiringTableOptions<K, V>;
  // Set by `open`, which comes before everything else.
  #table!: RowTable<K, V>;
  #keys!: KeyCodec<K>;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;

  constructor(options: ExpiringTableOptions<K, V>) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
  }

  async open(context: StoreContext): Promise<void> {
    const { name, keySerde, valueSerde, ttlMs } = this.#options;
    const space = new KeySpace(context.storeId);
    this.#context = context;
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(space, ttlMs, Math.ceil(ttlMs / BUCKETS_PER_TTL));
    const values = valueCodec(valueSerde, context.changelogTopic);
    this.#table = new RowTable({ name, layout: this.#layout(), values, timestamped: true, cached: false, context });
    await this.restored();
  }

  #layout(): RowLayout<K> {
    const keys = this.#keys;
    const retention = this.#retention;
    return {
      changelogKeyStart: BUCKET_PREFIX_BYTES,
      writeKey(entry, target) {
        retention.writeBucket(target, entry.bucket.id);
        keys.write(entry.identity, target);
      },
      userKey: (entry) => keys.key(entry.identity),
      keySize: (entry) => keys.size(entry.identity),
      isStored: (entry) => entry.bucket.id >= retention.firstBucket,
      isNews: (entry) => retention.isNews(entry.writtenAt),
    };
  }

  get(key: K): V | undefined {
    return this.#read(this.#find(this.#identity(key)));
  }

  put(key: K, value: V | undefined): void {
    const identity = this.#identity(key);
    this.#put(identity, this.#find(identity), value);
  }

  putIfAbsent(key: K, value: V): V | undefined {
    const identity = this.#identity(key);
    const row = this.#find(identity);
    const before = this.#read(row);
    if (before === undefined) this.#put(identity, row, value);
    return before;
  }

  putAll(entries: Iterable<KeyValue<K, V | undefined>>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  delete(key: K): V | undefined {
    const identity = this.#identity(key);
    const row = this.#find(identity);
    const before = this.#read(row);
    this.#put(identity, row, undefined);
    return before;
  }

  #put(identity: KeyIdentity, before: RowEntry | undefined, value: V | undefined): void {
    const retention = this.#retention;
    if (value == null) {
      if (before !== undefined) this.#table.write(before, undefined, retention.observed);
      return;
    }
    const { timestamp } = this.#context.recordContext;
    if (retention.observe(Math.max(0, timestamp))) this.#table.overlay.dropBucketsBelow(retention.firstBucket);
    const now = retention.observed;
    const bucket = retention.bucketOf(now);
    if (before !== undefined && before.bucket.id < bucket) this.#table.write(before, undefined, now);
    this.#table.write(this.#table.find(this.#table.overlay.bucket(bucket), identity), value, now);
  }

  /** The row of a key, expired or not. */
  #find(identity: KeyIdentity): RowEntry | undefined {
    const { overlay } = this.#table;
    const first = this.#retention.firstBucket;
    for (let bucket = this.#retention.bucketOf(this.#retention.observed); bucket >= first; bucket--) {
      const entry = overlay.peek(overlay.bucket(bucket), identity);
      if (entry?.held !== undefined) return entry;
    }
    return undefined;
  }

  #read(row: RowEntry | undefined): V | undefined {
    return row === undefined || !this.#retention.isReadable(row.timestamp) ? undefined : this.#table.read(row);
  }

  #identity(key: K): KeyIdentity {
    if (key == null) {
      const message = 'a store was asked for an absent key; check for it before';
      throw new ProcessingError('STORE_KEY_ABSENT', message, { store: this.name });
    }
    return this.#keys.identity(key);
  }

  range(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>> {
    return this.#scan(this.#keyBytes(from), this.#endAfter(to), false);
  }

  reverseRange(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<K, V>> {
    return this.#scan(this.#keyBytes(from), this.#endAfter(to), true);
  }

  all(): AsyncIterable<KeyValue<K, V>> {
    return this.range(undefined, undefined);
  }

  reverseAll(): AsyncIterable<KeyValue<K, V>> {
    return this.reverseRange(undefined, undefined);
  }

  prefixScan(prefix: Uint8Array): AsyncIterable<KeyValue<K, V>> {
    return this.#scan(Buffer.from(prefix), prefixEnd(prefix), false);
  }

  #keyBytes(key: K | undefined): Buffer {
    const target = new ByteBuffer(64);
    if (key != null) this.#keys.write(this.#keys.identity(key), target);
    return Buffer.from(target.view());
  }

  #endAfter(key: K | undefined): Buffer | undefined {
    return key == null ? undefined : successor(this.#keyBytes(key));
  }

  /** @param end absent: to the last key */
  async *#scan(from: Buffer, end: Buffer | undefined, reverse: boolean): AsyncGenerator<KeyValue<K, V>, void> {
    const { database } = this.#context;
    const retention = this.#retention;
    const oldest = retention.oldestReadable;
    const scans = [];
    for (let bucket = retention.firstBucket; bucket <= retention.bucketOf(retention.observed); bucket++) {
      const gte = this.#bound(bucket, from);
      const lt = end === undefined ? this.#bound(bucket + 1, undefined) : this.#bound(bucket, end);
      scans.push(mergedScan(this.#table, { database, range: { gte, lt }, reverse }));
    }
    for await (const [key, { value, timestamp }] of mergeByKey(scans, reverse)) {
      if (timestamp < oldest) continue;
      yield [this.#keys.key(this.#keys.identityAt(key, BUCKET_PREFIX_BYTES, key.length)), value];
    }
  }

  #bound(bucket: number, key: Buffer | undefined): Buffer {
    const target = new ByteBuffer(64);
    this.#retention.writeBucket(target, bucket);
    if (key !== undefined) target.writeBytes(key);
    return Buffer.from(target.view());
  }

  /** Rows that have expired since the store was opened are counted, as nobody has looked at them. */
  approximateNumEntries(): number {
    return this.#table.rows;
  }

  flushCache(): void {
    // Never cached.
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const before = this.#table.rows;
    this.#table.prepareCommit(batch, changelog);
    if (this.#retention.hasMoved) this.#retention.prepareCommit(batch);
    else if (this.#table.rows === before) return;
    this.#meta.save(batch, [this.#retention.observed, this.#table.rows]);
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

  /** What a bucket has of the key is replaced, whichever bucket that is. */
  restore(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const retention = this.#retention;
    if (retention.observe(timestamp)) retention.prepareCommit(batch);
    this.#meta.save(batch, [retention.observed, this.#table.rows]);
    const own = retention.bucketOf(timestamp);
    for (let bucket = retention.firstBucket; bucket <= retention.bucketOf(retention.observed); bucket++) {
      if (valueStart >= 0 && bucket === own) continue;
      this.#beginRow(batch, bucket);
      restoreRow(batch, undefined, source, keyStart, keyEnd, -1, -1);
    }
    if (valueStart < 0 || !retention.isStored(timestamp)) return;
    this.#beginRow(batch, own);
    restoreRow(batch, timestamp, source, keyStart, keyEnd, valueStart, valueEnd);
  }

  #beginRow(batch: WriteBatch, bucket: number): void {
    batch.begin();
    this.#retention.writeBucket(batch.scratch, bucket);
  }

  async restored(): Promise<void> {
    const numbers = [-1, 0];
    this.#meta.load(this.#context.database, numbers);
    const [observed, rows] = numbers as [number, number];
    this.#retention.reset(observed);
    this.#table.rows = rows;
  }

  close(): void {
    this.rollback();
  }
}
