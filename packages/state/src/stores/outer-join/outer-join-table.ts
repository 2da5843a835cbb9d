import { ByteBuffer, CorruptDataError, ProcessingError, readInt64, readWith, type Serde, writeWith } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { JoinSide, OuterJoinStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { type ValueCodec, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { KeyProbe } from '../time-bucket/key-probe.ts';
import { RecordBuckets } from '../time-bucket/record-buckets.ts';
import { beginListValue } from './list-value.ts';
import { LEFT, PendingBucket, RIGHT, WRITTEN_AT_BYTES } from './pending-bucket.ts';
import { PendingCursor } from './pending-cursor.ts';
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
  #table!: PendingTable;
  #cursor!: PendingCursor;
  #left!: ValueCodec<L>;
  #right!: ValueCodec<R>;
  #context!: StoreContext;
  #bucketsBytes = 0;

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
    const forLists = cleanCacheBytes - this.#bucketsBytes;
    this.#table = new PendingTable({ context, space, bucketMs: this.#bucketMs, cleanCacheBytes: forLists });
    this.#cursor = new PendingCursor(this.#buckets, this.#table, this.name);
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
    return this.#cursor.minTimestamp;
  }

  rewind(): void {
    this.#cursor.rewind();
  }

  advance(): boolean {
    return this.#cursor.advance();
  }

  get currentSide(): JoinSide {
    return this.#cursor.isLeft ? 'left' : 'right';
  }

  get currentKey(): K {
    const { key } = this.#cursor;
    return readWith(this.#options.keySerde, key, 0, key.length, this.#context.changelogTopic);
  }

  get currentTimestamp(): number {
    return this.#cursor.timestamp;
  }

  get currentValues(): readonly (L | R)[] {
    return this.#cursor.values((this.#cursor.isLeft ? this.#left : this.#right) as ValueCodec<L | R>);
  }

  removeCurrent(): void {
    const { bucket, record } = this.#cursor;
    if (bucket === undefined) {
      this.#table.removeCurrent();
      return;
    }
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
      this.#cursor.release(bucket);
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
