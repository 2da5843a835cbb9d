import {
  ByteBuffer,
  CorruptDataError,
  latin1Slice,
  ProcessingError,
  readInt64,
  readWith,
  type Serde,
  writeWith,
} from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { JoinStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { Retention } from '../../layout/retention.ts';
import { RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { RAW_VALUES } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { BucketMoves } from './bucket-moves.ts';
import type { JoinList } from './join-list.ts';
import { JoinLists } from './join-lists.ts';
import { JoinMatches } from '../time-bucket/join-matches.ts';
import { KeyProbe } from '../time-bucket/key-probe.ts';
import { RecordBucket } from '../time-bucket/record-bucket.ts';
import { RecordBuckets } from '../time-bucket/record-buckets.ts';

/** What a join store is made with. */
export interface JoinTableOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly retentionMs: number;
  readonly spanMs: number;
}

const CHUNK_BYTES = 4096;
/** While restoring, each record rewrites the open chunk: small chunks bound what a hot key costs. */
const RESTORE_CHUNK_BYTES = 512;
/** A store has at most about so many time buckets. */
const BUCKETS_PER_RETENTION = 1024;
/** Bytes after the key in the changelog key: timestamp and sequence number. */
const SUFFIX_BYTES = 12;
const SEQUENCE_MASK = 0x7fff_ffff;
/** The part of the store's memory that whole buckets may take; the rest is for lists. */
const BUCKETS_SHARE = 0.75;

interface Restoring {
  readonly lists: JoinLists<string, Buffer>;
  readonly pins: RestorePins<JoinList>;
}

/**
 * One side of a stream-stream join. Time buckets are as wide as the join window, so that a fetch looks into three of them at
 * most.
 *
 * A bucket that came up while the store was open is in memory as a whole (`RecordBuckets`). Those that have grown too large for
 * that, and those that were restored from the changelog, are in the database as one list per key (`JoinLists`).
 *
 * Changelog: `[key][timestamp, int64][sequence, int32]` → value, timestamp = that of the record. The sequence number keeps
 * records of one key and time apart and in order; it counts through the store and survives restarts.
 * Source: Kafka Streams `RocksDBWindowStore` with `retainDuplicates`.
 */
export class JoinTable<K, V> implements StateStore, JoinStore<K, V> {
  readonly name: string;
  readonly kind = 'join';
  readonly retentionMs: number;
  readonly #options: JoinTableOptions<K, V>;
  readonly #probe = new KeyProbe();
  readonly #matches = new JoinMatches();
  readonly #logKey = new ByteBuffer(64);
  /** A value on its way into a list. */
  readonly #value = new ByteBuffer(1024);
  // Set by `open`, which comes before everything else.
  #buckets!: RecordBuckets<RecordBucket>;
  #lists!: JoinLists<string, Buffer>;
  #moves!: BucketMoves;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;
  #topic = '';
  /** Below this id, a bucket that is not in memory is in the lists; from it on, those that have been moved there. */
  #newFrom = 0;
  readonly #moved = new Set<number>();
  /** The first bucket of which the commit being prepared leaves something. */
  #firstPrepared = 0;
  #sequence = 0;
  #sequencePrepared = 0;
  #sequenceCommitted = 0;
  #restoring: Restoring | undefined;

  constructor(options: JoinTableOptions<K, V>) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.#options = options;
  }

  async open(context: StoreContext): Promise<void> {
    const { retentionMs, spanMs } = this.#options;
    const { database, changelogTopic, cleanCacheBytes } = context;
    const space = new KeySpace(context.storeId);
    const bucketMs = Math.max(spanMs, Math.ceil(retentionMs / BUCKETS_PER_RETENTION), 1);
    const bucketsBytes = Math.floor(cleanCacheBytes * BUCKETS_SHARE);
    this.#context = context;
    this.#topic = changelogTopic;
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(space, retentionMs, bucketMs);
    this.#buckets = new RecordBuckets(database, space, (id) => new RecordBucket(id));
    this.#lists = this.#createLists(CHUNK_BYTES, cleanCacheBytes - bucketsBytes);
    this.#moves = new BucketMoves(this.#buckets, this.#lists, bucketsBytes);
    await this.restored();
  }

  #createLists(chunkBytes: number, cleanCacheBytes: number): JoinLists<string, Buffer> {
    const { database } = this.#context;
    return new JoinLists({
      database,
      retention: this.#retention,
      keys: RAW_KEYS,
      values: RAW_VALUES,
      chunkBytes,
      cleanCacheBytes,
    });
  }

  put(key: K, value: V, timestamp: number): void {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a store was given an absent key; check for it before', { store: this.name });
    }
    // As in Kafka Streams, a store that keeps duplicates has nothing to delete.
    if (value == null) return;
    if (this.#retention.observe(timestamp)) this.#expire();
    if (!this.#retention.isWritable(timestamp)) {
      this.#context.onExpiredRecord(this.name, timestamp);
      return;
    }
    this.#probe.set(this.#options.keySerde, key, this.#topic);
    const id = this.#retention.bucketOf(timestamp);
    const bucket = this.#retention.isStored(timestamp) ? this.#bucket(id) : this.#buckets.late;
    if (bucket === undefined) this.#putIntoList(id, value, timestamp);
    else this.#putIntoBucket(bucket, value, timestamp);
  }

  /** The bucket, if it is or comes to be in memory; undefined when it is in the lists. */
  #bucket(id: number): RecordBucket | undefined {
    return this.#buckets.get(id) ?? (this.#isInLists(id) ? undefined : this.#buckets.add(id));
  }

  /** Of buckets that are not in memory. */
  #isInLists(id: number): boolean {
    return id < this.#newFrom || this.#moved.has(id);
  }

  #putIntoBucket(bucket: RecordBucket, value: V, timestamp: number): void {
    const before = bucket.bytes;
    bucket.append(this.#probe, timestamp, this.#nextSequence(), this.#options.valueSerde, value, this.#topic);
    this.#buckets.grown(bucket.bytes - before);
  }

  #putIntoList(id: number, value: V, timestamp: number): void {
    const scratch = this.#value;
    scratch.clear();
    writeWith(this.#options.valueSerde, value, scratch, this.#topic);
    this.#appendToList(id, this.#probe.text, timestamp, RAW_VALUES.holdAt(scratch.bytes, 0, scratch.length));
  }

  #appendToList(id: number, key: string, timestamp: number, value: unknown): void {
    const list = this.#lists.find(id, key);
    this.#lists.overlay.markDirty(list);
    this.#lists.append(list, timestamp, value);
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MASK;
    return this.#sequence;
  }

  #expire(): void {
    this.#buckets.dropBelow(this.#retention.firstBucket);
    this.#lists.overlay.dropBucketsBelow(this.#retention.firstBucket);
  }

  fetch(key: K, from: number, to: number): number {
    const matches = this.#matches;
    matches.count = 0;
    const first = Math.max(from, this.#retention.oldestReadable, 0);
    const last = Math.min(to, this.#retention.observed);
    if (first > last) return 0;
    this.#probe.set(this.#options.keySerde, key, this.#topic);
    const lastBucket = this.#retention.bucketOf(last);
    for (let id = this.#retention.bucketOf(first); id <= lastBucket; id++) {
      const bucket = this.#buckets.get(id);
      if (bucket !== undefined) bucket.match(this.#probe, first, last, matches);
      else if (this.#isInLists(id)) this.#matchList(id, first, last);
    }
    return matches.count;
  }

  #matchList(id: number, first: number, last: number): void {
    const list = this.#lists.peek(id, this.#probe.text);
    if (list === undefined) return;
    const { timestamps, values } = list;
    for (let n = 0; n < timestamps.length; n++) {
      const index = list.at(n);
      const timestamp = timestamps[index] as number;
      if (timestamp > last) return;
      const value = values[index] as Buffer;
      if (timestamp >= first) this.#matches.add(timestamp, value, 0, value.length);
    }
  }

  matchTimestamp(index: number): number {
    return this.#matches.timestamp(index);
  }

  matchValue(index: number): V {
    const matches = this.#matches;
    return readWith(this.#options.valueSerde, matches.source(index), matches.start(index), matches.end(index), this.#topic);
  }

  flushCache(): void {}

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const lists = this.#lists.overlay.startCommit();
    if (this.#sequence === this.#sequencePrepared && lists.length === 0 && !this.#retention.hasMoved) return;
    for (const list of lists) {
      if (changelog !== undefined) this.#log(list, changelog);
      list.logged = list.timestamps.length;
      if (list.bucket.id >= this.#retention.firstBucket) this.#lists.put(list, batch);
    }
    this.#buckets.prepareCommit(batch, changelog);
    this.#moves.prepareCommit(batch);
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
    this.#sequencePrepared = this.#sequence;
    this.#firstPrepared = this.#retention.firstBucket;
  }

  #log(list: JoinList, changelog: ChangelogWriter): void {
    const key = this.#logKey;
    key.clear();
    RAW_KEYS.write(list.identity, key);
    const keyEnd = key.length;
    for (let i = list.logged; i < list.timestamps.length; i++) {
      const timestamp = list.timestamps[i] as number;
      const value = list.values[i] as Buffer;
      key.length = keyEnd;
      key.writeInt64(timestamp);
      key.writeInt32(this.#nextSequence());
      changelog.append(timestamp, key.bytes, 0, key.length, value, 0, value.length);
    }
  }

  committed(): void {
    this.#lists.overlay.endCommit();
    this.#buckets.committed();
    for (const bucket of this.#moves.committed()) this.#finishMove(bucket);
    for (const id of this.#moved) if (id < this.#firstPrepared) this.#moved.delete(id);
    this.#retention.committed();
    this.#sequenceCommitted = this.#sequencePrepared;
  }

  /** The bucket is in the lists; what has been added to it since then follows. */
  #finishMove(bucket: RecordBucket): void {
    const isLive = this.#buckets.get(bucket.id) === bucket;
    this.#moved.add(bucket.id);
    bucket.forEach(bucket.committed.count, (bytes, keyStart, keyEnd, timestamp, valueStart, valueEnd) => {
      const value = RAW_VALUES.holdAt(bytes, valueStart, valueEnd);
      if (isLive) this.#appendToList(bucket.id, latin1Slice(bytes, keyStart, keyEnd), timestamp, value);
      else this.#moveToLate(bytes, keyStart, keyEnd, timestamp, valueStart, valueEnd);
    });
    this.#buckets.remove(bucket);
  }

  #moveToLate(bytes: Buffer, keyStart: number, keyEnd: number, timestamp: number, valueStart: number, valueEnd: number): void {
    const { late } = this.#buckets;
    const before = late.bytes;
    this.#probe.setBytes(bytes, keyStart, keyEnd);
    late.appendBytes(this.#probe, timestamp, this.#nextSequence(), bytes, valueStart, valueEnd);
    this.#buckets.grown(late.bytes - before);
  }

  rollback(): void {
    this.#lists.overlay.clear();
    this.#buckets.rollback();
    this.#moves.rollback();
    this.#retention.rollback();
    this.#sequence = this.#sequenceCommitted;
    this.#sequencePrepared = this.#sequenceCommitted;
  }

  get dirtyBytes(): number {
    return this.#buckets.uncommittedBytes + this.#lists.overlay.pinnedBytes;
  }

  restore(
    batch: WriteBatch,
    _timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const suffix = keyEnd - SUFFIX_BYTES;
    if (suffix < keyStart)
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for a join buffer', { store: this.name });
    if (valueStart < 0) return;
    const timestamp = readInt64(source, suffix);
    if (this.#retention.observe(timestamp)) this.#expireRestored(batch);
    this.#sequence = source.readInt32BE(suffix + 8);
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
    if (!this.#retention.isStored(timestamp)) return;
    const bucket = this.#buckets.get(this.#retention.bucketOf(timestamp));
    if (bucket === undefined) this.#restoreIntoList(batch, timestamp, source, keyStart, suffix, valueStart, valueEnd);
    else {
      this.#probe.setBytes(source, keyStart, suffix);
      const before = bucket.bytes;
      bucket.appendBytes(this.#probe, timestamp, this.#sequence, source, valueStart, valueEnd);
      this.#buckets.grown(bucket.bytes - before);
      this.#buckets.putRestored(bucket, batch);
    }
  }

  #expireRestored(batch: WriteBatch): void {
    this.#retention.prepareCommit(batch);
    this.#buckets.dropBelow(this.#retention.firstBucket);
    this.#buckets.deleteDropped(batch);
  }

  #restoreIntoList(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#restoring ??= this.#startRestoring();
    const { lists, pins } = this.#restoring;
    pins.release();
    const list = lists.find(this.#retention.bucketOf(timestamp), RAW_KEYS.identityAt(source, keyStart, keyEnd));
    pins.pin(list, batch);
    lists.append(list, timestamp, RAW_VALUES.holdAt(source, valueStart, valueEnd));
    lists.put(list, batch);
  }

  #startRestoring(): Restoring {
    const lists = this.#createLists(RESTORE_CHUNK_BYTES, this.#context.cleanCacheBytes);
    return { lists, pins: new RestorePins(lists.overlay) };
  }

  async restored(): Promise<void> {
    this.#restoring = undefined;
    const numbers = [-1, 0];
    this.#meta.load(this.#context.database, numbers);
    this.#retention.reset(numbers[0] as number);
    await this.#buckets.load();
    this.#buckets.dropBelow(this.#retention.firstBucket);
    this.#newFrom = this.#retention.bucketOf(this.#retention.observed) + 1;
    this.#moved.clear();
    this.#sequence = numbers[1] as number;
    this.#sequencePrepared = this.#sequence;
    this.#sequenceCommitted = this.#sequence;
  }

  close(): void {
    this.rollback();
    this.#buckets.clear();
  }
}
