import {
  assert,
  ByteBuffer,
  CorruptDataError,
  ProcessingError,
  readInt64,
  readWith,
  type Serde,
  writeWith,
} from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { JoinSide, OuterJoinStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { type ValueCodec, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { KeyProbe } from '../time-bucket/key-probe.ts';
import { RecordBuckets } from '../time-bucket/record-buckets.ts';
import { beginListValue, readListValue } from './list-value.ts';
import { PendingBucket, WRITTEN_AT_BYTES } from './pending-bucket.ts';
import { PendingBucketsScan } from './pending-buckets-scan.ts';
import { PendingTable } from './pending-table.ts';

/** What a store of records without partner is made with. */
export interface OuterJoinTableOptions<K, L, R> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly leftSerde: Serde<L>;
  readonly rightSerde: Serde<R>;
  readonly spanMs: number;
}

/** A join window is divided into so many buckets, so that a scan sorts only what is about to leave it. */
const BUCKETS_PER_SPAN = 64;
const BUCKET_MS_MIN = 100;
/** Bytes before the side and the key in the changelog key. */
const TIMESTAMP_BYTES = 8;
const RIGHT = 0;
const LEFT = 1;
/** The part of the store's memory that whole buckets may take; the rest is for lists. */
const BUCKETS_SHARE = 0.75;

/**
 * Records that wait for a partner, by time, side and key.
 *
 * They are kept in memory as whole time buckets (`PendingBucket`) while there is room, and what comes then in the database as one
 * list per key (`PendingTable`). An item is in one of them; the cursor goes through both.
 *
 * Changelog: `[timestamp, int64][side, 1 byte: right 0, left 1][key]` → all values as one list; no value when removed.
 * Source: Kafka Streams `ListValueStore`, `TimestampedKeyAndJoinSideSerializer`.
 */
export class OuterJoinTable<K, L, R> implements StateStore, OuterJoinStore<K, L, R> {
  readonly name: string;
  readonly kind = 'outerJoin';
  readonly #options: OuterJoinTableOptions<K, L, R>;
  readonly #bucketMs: number;
  /** Side and key of what is looked for. */
  readonly #probe = new KeyProbe();
  readonly #change = new ByteBuffer(1024);
  // Set by `open`, which comes before everything else.
  #buckets!: RecordBuckets<PendingBucket>;
  #scan!: PendingBucketsScan;
  #table!: PendingTable;
  #left!: ValueCodec<L>;
  #right!: ValueCodec<R>;
  #context!: StoreContext;
  #bucketsBytes = 0;
  /** Whether each of the two cursors stands at an item, and whether the cursor is that of the table. */
  #scanHas = false;
  #tableHas = false;
  #isAtTable = false;
  #isScanning = false;

  constructor(options: OuterJoinTableOptions<K, L, R>) {
    this.name = options.name;
    this.#options = options;
    this.#bucketMs = Math.max(BUCKET_MS_MIN, Math.floor(options.spanMs / BUCKETS_PER_SPAN));
  }

  async open(context: StoreContext): Promise<void> {
    const { leftSerde, rightSerde } = this.#options;
    const { database, changelogTopic, cleanCacheBytes } = context;
    const space = new KeySpace(context.storeId);
    this.#context = context;
    this.#left = valueCodec(leftSerde, changelogTopic);
    this.#right = valueCodec(rightSerde, changelogTopic);
    this.#bucketsBytes = Math.floor(cleanCacheBytes * BUCKETS_SHARE);
    this.#buckets = new RecordBuckets(database, space, (id) => new PendingBucket(id));
    this.#scan = new PendingBucketsScan(this.#buckets);
    const forLists = cleanCacheBytes - this.#bucketsBytes;
    this.#table = new PendingTable({ context, space, bucketMs: this.#bucketMs, cleanCacheBytes: forLists });
    await this.restored();
  }

  #bucketOf(timestamp: number): number {
    return Math.floor(timestamp / this.#bucketMs);
  }

  put(side: JoinSide, key: K, value: L | R, timestamp: number): void {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a store was given an absent key; check for it before', { store: this.name });
    }
    if (value == null) {
      this.remove(side, key, timestamp);
      return;
    }
    const isLeft = side === 'left';
    this.#setProbe(isLeft, key);
    const id = this.#bucketOf(timestamp);
    const bucket = this.#buckets.get(id);
    const before = bucket === undefined ? -1 : bucket.find(this.#probe, timestamp);
    if (before < 0 && this.#belongsToTable(isLeft, timestamp)) this.#putIntoTable(isLeft, value, timestamp);
    else this.#putIntoBucket(bucket ?? this.#buckets.add(id), before, isLeft, value, timestamp);
  }

  #setProbe(isLeft: boolean, key: K): void {
    this.#probe.set(this.#options.keySerde, key, this.#context.changelogTopic, isLeft ? LEFT : RIGHT);
  }

  /** Of items that no bucket in memory knows: whether the table has it, or has to take it because there is no room. */
  #belongsToTable(isLeft: boolean, timestamp: number): boolean {
    if (!this.#table.isEmpty && this.#table.has(isLeft, this.#probe.textFrom(1), timestamp)) return true;
    return !this.#hasRoom;
  }

  get #hasRoom(): boolean {
    return this.#buckets.bytes - this.#buckets.uncommittedBytes < this.#bucketsBytes;
  }

  #putIntoTable(isLeft: boolean, value: L | R, timestamp: number): void {
    const change = this.#change;
    change.clear();
    this.#writeValue(isLeft, value, change);
    this.#table.put(isLeft, this.#probe.textFrom(1), Buffer.from(change.view()), timestamp);
  }

  #writeValue(isLeft: boolean, value: L | R, target: ByteBuffer): void {
    const { leftSerde, rightSerde } = this.#options;
    writeWith((isLeft ? leftSerde : rightSerde) as Serde<L | R>, value, target, this.#context.changelogTopic);
  }

  /** @param before the latest change of the item; its values come first */
  #putIntoBucket(bucket: PendingBucket, before: number, isLeft: boolean, value: L | R, timestamp: number): void {
    const change = this.#beginChange();
    if (before >= 0 && bucket.isPending(before)) {
      const listStart = bucket.valueStart(before) + WRITTEN_AT_BYTES;
      beginListValue(change, bucket.buffer, listStart, bucket.valueEnd(before));
    } else beginListValue(change);
    const lengthAt = change.length;
    change.writeInt32(0);
    change.writeUint8(isLeft ? LEFT : RIGHT);
    this.#writeValue(isLeft, value, change);
    change.bytes.writeInt32BE(change.length - lengthAt - 4, lengthAt);
    this.#addChange(bucket, timestamp);
  }

  /** A change begins with the timestamp of the record that makes it: that of the changelog record. */
  #beginChange(writtenAt = this.#context.recordContext.timestamp): ByteBuffer {
    this.#change.clear();
    this.#change.writeInt64(writtenAt);
    return this.#change;
  }

  #addChange(bucket: PendingBucket, timestamp: number): void {
    const before = bucket.bytes;
    bucket.change(this.#probe, timestamp, this.#change.bytes, this.#change.length);
    this.#buckets.grown(bucket.bytes - before);
  }

  remove(side: JoinSide, key: K, timestamp: number): void {
    const isLeft = side === 'left';
    const bucket = this.#buckets.get(this.#bucketOf(timestamp));
    // Most matches are of records that were never pending: no look-up for them.
    const mayBeInBucket = bucket !== undefined && bucket.live > 0;
    if (!mayBeInBucket && this.#table.isEmpty) return;
    this.#setProbe(isLeft, key);
    if (mayBeInBucket) {
      const record = bucket.find(this.#probe, timestamp);
      if (record >= 0 && bucket.isPending(record)) {
        this.#beginChange();
        this.#addChange(bucket, timestamp);
        return;
      }
    }
    this.#table.remove(isLeft, this.#probe.textFrom(1), timestamp);
  }

  // ---- cursor ----

  get minTimestamp(): number {
    return Math.min(this.#scan.minTimestamp, this.#table.isEmpty ? Infinity : this.#table.minTimestamp);
  }

  rewind(): void {
    this.#scan.rewind();
    this.#table.rewind();
    this.#isScanning = false;
  }

  advance(): boolean {
    const isFirst = !this.#isScanning;
    this.#isScanning = true;
    if (isFirst || (this.#scanHas && !this.#isAtTable)) this.#scanHas = this.#scan.advance();
    if (isFirst || (this.#tableHas && this.#isAtTable)) this.#tableHas = !this.#table.isEmpty && this.#table.advance();
    this.#isAtTable = this.#tableHas && (!this.#scanHas || this.#isTableFirst());
    return this.#scanHas || this.#tableHas;
  }

  #isTableFirst(): boolean {
    const { bucket, record } = this.#scan;
    const item = this.#table.current;
    assert(bucket !== undefined && item !== undefined, 'a cursor that has an item stands nowhere');
    const difference = item.timestamp - bucket.timestamp(record);
    if (difference !== 0) return difference < 0;
    const key = Buffer.from(`${item.isLeft ? '\x01' : '\x00'}${item.list.identity as string}`, 'latin1');
    return key.compare(bucket.buffer, bucket.keyStart(record), bucket.keyEnd(record)) < 0;
  }

  get #bucketAtCursor(): PendingBucket {
    const bucket = this.#isScanning && this.#scanHas ? this.#scan.bucket : undefined;
    assert(bucket !== undefined, `the cursor of store ${this.name} is not at a list; call advance first`);
    return bucket;
  }

  get #isLeftAtCursor(): boolean {
    if (this.#isAtTable) return this.#table.current?.isLeft === true;
    const bucket = this.#bucketAtCursor;
    return bucket.buffer[bucket.keyStart(this.#scan.record)] === LEFT;
  }

  get currentSide(): JoinSide {
    return this.#isLeftAtCursor ? 'left' : 'right';
  }

  get currentKey(): K {
    const { keySerde } = this.#options;
    const { changelogTopic } = this.#context;
    if (this.#isAtTable) {
      const key = Buffer.from(this.#table.current?.list.identity as string, 'latin1');
      return readWith(keySerde, key, 0, key.length, changelogTopic);
    }
    const bucket = this.#bucketAtCursor;
    const { record } = this.#scan;
    return readWith(keySerde, bucket.buffer, bucket.keyStart(record) + 1, bucket.keyEnd(record), changelogTopic);
  }

  get currentTimestamp(): number {
    return this.#isAtTable ? (this.#table.current?.timestamp ?? -1) : this.#bucketAtCursor.timestamp(this.#scan.record);
  }

  get currentValues(): readonly (L | R)[] {
    const codec: ValueCodec<L | R> = this.#isLeftAtCursor
      ? (this.#left as ValueCodec<L | R>)
      : (this.#right as ValueCodec<L | R>);
    if (this.#isAtTable) {
      const held = (this.#table.current?.values ?? []) as Buffer[];
      return held.map((bytes) => codec.value(codec.holdAt(bytes, 0, bytes.length)));
    }
    const bucket = this.#bucketAtCursor;
    const { record } = this.#scan;
    const listStart = bucket.valueStart(record) + WRITTEN_AT_BYTES;
    return readListValue(bucket.buffer, listStart, bucket.valueEnd(record), codec).map((held) => codec.value(held));
  }

  removeCurrent(): void {
    if (this.#isAtTable) {
      this.#table.removeCurrent();
      return;
    }
    const bucket = this.#bucketAtCursor;
    const { record } = this.#scan;
    if (!bucket.isLatest(record)) return;
    this.#probe.setBytes(bucket.buffer, bucket.keyStart(record), bucket.keyEnd(record));
    this.#beginChange();
    this.#addChange(bucket, bucket.timestamp(record));
  }

  // ---- commit ----

  flushCache(): void {}

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#dropFinished();
    this.#buckets.prepareCommit(batch, changelog);
    this.#table.prepareCommit(batch, changelog);
  }

  /** Buckets in which nothing is pending any more go as a whole. */
  #dropFinished(): void {
    for (const bucket of this.#buckets.live) {
      if (bucket.live > 0) continue;
      this.#scan.release(bucket);
      this.#buckets.drop(bucket);
    }
  }

  committed(): void {
    this.#buckets.committed();
    this.#table.committed();
  }

  rollback(): void {
    this.#buckets.rollback();
    this.#table.rollback();
    this.rewind();
  }

  get dirtyBytes(): number {
    return this.#buckets.uncommittedBytes + this.#table.dirtyBytes;
  }

  // ---- restore ----

  restore(
    batch: WriteBatch,
    writtenAt: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const sideAt = keyStart + TIMESTAMP_BYTES;
    if (sideAt >= keyEnd) {
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for an outer join store', {
        store: this.name,
      });
    }
    const timestamp = readInt64(source, keyStart);
    const id = this.#bucketOf(timestamp);
    const bucket = this.#buckets.get(id);
    this.#probe.setBytes(source, sideAt, keyEnd);
    const isKnown = bucket !== undefined && bucket.find(this.#probe, timestamp) >= 0;
    if (!isKnown && (this.#table.hasRestored || !this.#table.isEmpty || !this.#hasRoom)) {
      this.#table.restore(batch, source, keyStart, keyEnd, valueStart, valueEnd);
      return;
    }
    // The removal of what nobody knows.
    if (!isKnown && valueStart < 0) return;
    const change = this.#beginChange(writtenAt);
    if (valueStart >= 0) change.writeRange(source, valueStart, valueEnd);
    this.#restoreChange(batch, bucket ?? this.#buckets.add(id), timestamp);
  }

  #restoreChange(batch: WriteBatch, bucket: PendingBucket, timestamp: number): void {
    this.#addChange(bucket, timestamp);
    this.#buckets.putRestored(bucket, batch);
    if (bucket.live > 0) return;
    this.#buckets.drop(bucket);
    this.#buckets.deleteDropped(batch);
  }

  async restored(): Promise<void> {
    await this.#buckets.load();
    for (const bucket of this.#buckets.live) bucket.recount();
    await this.#table.restored();
    this.rewind();
  }

  close(): void {
    this.#buckets.clear();
    this.#table.close();
  }
}
