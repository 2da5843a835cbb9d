import { ByteBuffer, CorruptDataError, ProcessingError, readInt64, type Serde } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { JoinStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { Retention } from '../../layout/retention.ts';
import { Bucket } from '../../overlay/entry.ts';
import { type KeyCodec, keyCodec, RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { type HeldValue, RAW_VALUES, type ValueCodec, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { JoinList } from './join-list.ts';
import { JoinLists } from './join-lists.ts';

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

interface Restoring {
  readonly lists: JoinLists<string, Buffer>;
  readonly pins: RestorePins<JoinList>;
}

/**
 * One side of a stream-stream join. The records of a key in a time bucket are one list; buckets are as wide as the join
 * window, so that a fetch reads three of them at most.
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
  readonly #logKey = new ByteBuffer(64);
  readonly #logValue = new ByteBuffer(1024);
  readonly #matchTimestamps: number[] = [];
  readonly #matchValues: HeldValue[] = [];
  // Set by `open`, which comes before everything else.
  #lists!: JoinLists<K, V>;
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;
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
    const { keySerde, valueSerde, retentionMs, spanMs } = this.#options;
    const { database, changelogTopic, cleanCacheBytes } = context;
    const space = new KeySpace(context.storeId);
    const bucketMs = Math.max(spanMs, Math.ceil(retentionMs / BUCKETS_PER_RETENTION), 1);
    this.#context = context;
    this.#keys = keyCodec(keySerde, changelogTopic);
    this.#values = valueCodec(valueSerde, changelogTopic);
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(space, retentionMs, bucketMs);
    const layout = { database, retention: this.#retention, chunkBytes: CHUNK_BYTES, cleanCacheBytes };
    this.#lists = new JoinLists({ ...layout, keys: this.#keys, values: this.#values });
    await this.restored();
  }

  put(key: K, value: V, timestamp: number): void {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a store was given an absent key; check for it before', { store: this.name });
    }
    // As in Kafka Streams, a store that keeps duplicates has nothing to delete.
    if (value == null) return;
    if (this.#retention.observe(timestamp)) this.#lists.overlay.dropBucketsBelow(this.#retention.firstBucket);
    if (!this.#retention.isWritable(timestamp)) {
      this.#context.onExpiredRecord(this.name, timestamp);
      return;
    }
    const bucket = this.#retention.bucketOf(timestamp);
    const identity = this.#keys.identity(key);
    // A record in a bucket that is gone gets a list of its own, which goes no further than the changelog.
    const isStored = this.#retention.isStored(timestamp);
    const list = isStored ? this.#lists.find(bucket, identity) : new JoinList(new Bucket(bucket), identity);
    this.#lists.overlay.markDirty(list);
    this.#lists.append(list, timestamp, this.#values.hold(value));
  }

  fetch(key: K, from: number, to: number): number {
    this.#matchTimestamps.length = 0;
    this.#matchValues.length = 0;
    const first = Math.max(from, this.#retention.oldestReadable, 0);
    const last = Math.min(to, this.#retention.observed);
    const identity = this.#keys.identity(key);
    for (let bucket = this.#retention.bucketOf(first); bucket <= this.#retention.bucketOf(last); bucket++) {
      const list = this.#lists.peek(bucket, identity);
      if (list !== undefined) this.#match(list, first, last);
    }
    return this.#matchTimestamps.length;
  }

  #match(list: JoinList, first: number, last: number): void {
    const { timestamps, values } = list;
    for (let n = 0; n < timestamps.length; n++) {
      const index = list.at(n);
      const timestamp = timestamps[index] as number;
      if (timestamp > last) return;
      if (timestamp < first) continue;
      this.#matchTimestamps.push(timestamp);
      this.#matchValues.push(values[index]);
    }
  }

  matchTimestamp(index: number): number {
    return this.#matchTimestamps[index] as number;
  }

  matchValue(index: number): V {
    return this.#values.value(this.#matchValues[index]);
  }

  flushCache(): void {}

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const lists = this.#lists.overlay.startCommit();
    if (lists.length === 0 && !this.#retention.hasMoved) return;
    for (const list of lists) {
      if (changelog !== undefined) this.#log(list, changelog);
      list.logged = list.timestamps.length;
      if (list.bucket.id >= this.#retention.firstBucket) this.#lists.put(list, batch);
    }
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
    this.#sequencePrepared = this.#sequence;
  }

  #log(list: JoinList, changelog: ChangelogWriter): void {
    const key = this.#logKey;
    const value = this.#logValue;
    key.clear();
    this.#keys.write(list.identity, key);
    const keyEnd = key.length;
    for (let i = list.logged; i < list.timestamps.length; i++) {
      const timestamp = list.timestamps[i] as number;
      this.#sequence = (this.#sequence + 1) & SEQUENCE_MASK;
      key.length = keyEnd;
      key.writeInt64(timestamp);
      key.writeInt32(this.#sequence);
      value.clear();
      this.#values.write(list.values[i], value);
      changelog.append(timestamp, key.bytes, 0, key.length, value.bytes, 0, value.length);
    }
  }

  committed(): void {
    this.#lists.overlay.endCommit();
    this.#retention.committed();
    this.#sequenceCommitted = this.#sequencePrepared;
  }

  rollback(): void {
    this.#lists.overlay.clear();
    this.#retention.rollback();
    this.#sequence = this.#sequenceCommitted;
    this.#sequencePrepared = this.#sequenceCommitted;
  }

  get dirtyBytes(): number {
    return this.#lists.overlay.pinnedBytes;
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
    if (this.#retention.observe(timestamp)) this.#retention.prepareCommit(batch);
    this.#sequence = source.readInt32BE(suffix + 8);
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
    if (!this.#retention.isStored(timestamp)) return;
    this.#restoring ??= this.#startRestoring();
    const { lists, pins } = this.#restoring;
    pins.release();
    const list = lists.find(this.#retention.bucketOf(timestamp), RAW_KEYS.identityAt(source, keyStart, suffix));
    pins.pin(list, batch);
    lists.append(list, timestamp, RAW_VALUES.holdAt(source, valueStart, valueEnd));
    lists.put(list, batch);
  }

  #startRestoring(): Restoring {
    const { database, cleanCacheBytes } = this.#context;
    const layout = { database, retention: this.#retention, chunkBytes: RESTORE_CHUNK_BYTES, cleanCacheBytes };
    const lists = new JoinLists({ ...layout, keys: RAW_KEYS, values: RAW_VALUES });
    return { lists, pins: new RestorePins(lists.overlay) };
  }

  async restored(): Promise<void> {
    this.#restoring = undefined;
    const numbers = [-1, 0];
    this.#meta.load(this.#context.database, numbers);
    this.#retention.reset(numbers[0] as number);
    this.#lists.overlay.trustEmptyFrom(this.#retention.bucketOf(this.#retention.observed) + 1);
    this.#sequence = numbers[1] as number;
    this.#sequencePrepared = this.#sequence;
    this.#sequenceCommitted = this.#sequence;
  }

  close(): void {
    this.rollback();
  }
}
