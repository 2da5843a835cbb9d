import { assert, ByteBuffer, CorruptDataError, ProcessingError, readInt64, type Serde } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { JoinSide, OuterJoinStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { type KeyCodec, keyCodec, RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { RAW_VALUES, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { readListValue } from './list-value.ts';
import { PendingIndex } from './pending-index.ts';
import { NONE, type Pending, type PendingList } from './pending-list.ts';
import { PendingLists } from './pending-lists.ts';
import { PendingScan, SCANNED } from './pending-scan.ts';

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
/** Bytes before the key in the changelog key: timestamp and side. */
const PREFIX_BYTES = 9;

interface Restoring {
  readonly lists: PendingLists<string, Buffer, Buffer>;
  readonly pins: RestorePins<PendingList>;
}

/**
 * Records that wait for a partner, by time, side and key.
 *
 * Changelog: `[timestamp, int64][side, 1 byte: right 0, left 1][key]` → all values as one list; no value when removed.
 * Source: Kafka Streams `ListValueStore`, `TimestampedKeyAndJoinSideSerializer`.
 */
export class OuterJoinTable<K, L, R> implements StateStore, OuterJoinStore<K, L, R> {
  readonly name: string;
  readonly kind = 'outerJoin';
  readonly #options: OuterJoinTableOptions<K, L, R>;
  readonly #bucketMs: number;
  readonly #index = new PendingIndex();
  readonly #logKey = new ByteBuffer(64);
  // Set by `open`, which comes before everything else.
  #lists!: PendingLists<K, L, R>;
  #scan!: PendingScan<K, L, R>;
  #keys!: KeyCodec<K>;
  #space!: KeySpace;
  #context!: StoreContext;
  /** Lowest pending timestamp; NaN when it has to be looked for. */
  #minTimestamp = Infinity;
  #restoring: Restoring | undefined;

  constructor(options: OuterJoinTableOptions<K, L, R>) {
    this.name = options.name;
    this.#options = options;
    this.#bucketMs = Math.max(BUCKET_MS_MIN, Math.floor(options.spanMs / BUCKETS_PER_SPAN));
  }

  async open(context: StoreContext): Promise<void> {
    const { keySerde, leftSerde, rightSerde } = this.#options;
    const { database, changelogTopic, cleanCacheBytes } = context;
    this.#context = context;
    this.#space = new KeySpace(context.storeId);
    this.#keys = keyCodec(keySerde, changelogTopic);
    const left = valueCodec(leftSerde, changelogTopic);
    const right = valueCodec(rightSerde, changelogTopic);
    this.#lists = new PendingLists({ database, space: this.#space, keys: this.#keys, left, right, cleanCacheBytes });
    this.#scan = new PendingScan(this.#lists, this.#index);
    await this.restored();
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
    const list = this.#lists.find(this.#bucketOf(timestamp), this.#keys.identity(key));
    const item = list.get(timestamp, isLeft) ?? list.add(timestamp, isLeft);
    const wasAlive = item.isAlive;
    this.#noteChange(item);
    item.addValue(this.#lists.codec(isLeft).hold(value));
    this.#lists.resize(list);
    if (wasAlive) return;
    this.#scan.insert(this.#index.add(list), item);
    this.#minTimestamp = Math.min(this.#minTimestamp, timestamp);
  }

  remove(side: JoinSide, key: K, timestamp: number): void {
    const bucket = this.#index.get(this.#bucketOf(timestamp));
    // Most matches are of records that were never pending: no look-up for them.
    if (bucket === undefined || bucket.live === 0) return;
    const item = this.#lists.peek(bucket.id, this.#keys.identity(key))?.get(timestamp, side === 'left');
    if (item?.isAlive === true) this.#remove(item);
  }

  #remove(item: Pending): void {
    const bucket = this.#index.get(item.list.bucket.id);
    assert(bucket !== undefined, 'a pending record is not in the index of its bucket');
    this.#noteChange(item);
    item.values = NONE;
    this.#lists.resize(item.list);
    bucket.live--;
    if (item.timestamp === this.#minTimestamp) this.#minTimestamp = Number.NaN;
  }

  #noteChange(item: Pending): void {
    this.#lists.overlay.markDirty(item.list);
    item.writtenAt = this.#context.recordContext.timestamp;
    if (item.changed) return;
    item.changed = true;
    item.list.addChange(item);
  }

  #bucketOf(timestamp: number): number {
    return Math.floor(timestamp / this.#bucketMs);
  }

  get minTimestamp(): number {
    if (Number.isNaN(this.#minTimestamp)) this.#minTimestamp = this.#scan.first()?.timestamp ?? Infinity;
    return this.#minTimestamp;
  }

  rewind(): void {
    this.#scan.rewind();
  }

  advance(): boolean {
    return this.#scan.advance();
  }

  get #current(): Pending {
    const current = this.#scan.current;
    assert(current !== undefined, `the cursor of store ${this.name} is not at a list; call advance first`);
    return current;
  }

  get currentSide(): JoinSide {
    return this.#current.isLeft ? 'left' : 'right';
  }

  get currentKey(): K {
    return this.#keys.key(this.#current.list.identity);
  }

  get currentTimestamp(): number {
    return this.#current.timestamp;
  }

  get currentValues(): readonly (L | R)[] {
    const { isLeft, values } = this.#current;
    const codec = this.#lists.codec(isLeft);
    return values.map((held) => codec.value(held));
  }

  removeCurrent(): void {
    if (this.#current.isAlive) this.#remove(this.#current);
  }

  flushCache(): void {}

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    for (const list of this.#lists.overlay.startCommit()) {
      this.#lists.put(list, batch);
      for (const item of list.changes) {
        item.changed = false;
        if (changelog !== undefined && (item.isAlive || item.persisted)) this.#log(item, batch.scratch.bytes, changelog);
        item.persisted = item.isAlive;
      }
      list.changes = NONE;
      // While a scan refers to the list's items, a new item must not take the place of one that is gone.
      if ((list.pins & SCANNED) === 0) list.dropGone();
    }
    this.#index.prepareCommit();
  }

  #log(item: Pending, values: Buffer, changelog: ChangelogWriter): void {
    const key = this.#logKey;
    key.clear();
    key.writeInt64(item.timestamp);
    key.writeUint8(item.isLeft ? 1 : 0);
    this.#keys.write(item.list.identity, key);
    const [start, end] = item.isAlive ? [item.valueStart, item.valueEnd] : [-1, -1];
    changelog.append(item.writtenAt, key.bytes, 0, key.length, values, start, end);
  }

  committed(): void {
    this.#lists.overlay.endCommit();
    for (const bucket of this.#index.committed()) {
      this.#scan.release(bucket);
      // Its lists are empty: remembering that they are would cost more than reading a row that is not there.
      this.#lists.overlay.dropBucket(bucket.id);
    }
  }

  rollback(): void {
    this.#lists.overlay.clear();
    this.#index.rollback();
    this.#scan.rewind();
    this.#minTimestamp = Number.NaN;
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
    const keyAt = keyStart + PREFIX_BYTES;
    if (keyAt > keyEnd) {
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for an outer join store', {
        store: this.name,
      });
    }
    const timestamp = readInt64(source, keyStart);
    const isLeft = source[keyStart + 8] === 1;
    this.#restoring ??= this.#startRestoring();
    const { lists, pins } = this.#restoring;
    pins.release();
    const list = lists.find(this.#bucketOf(timestamp), RAW_KEYS.identityAt(source, keyAt, keyEnd));
    pins.pin(list, batch);
    const item = list.get(timestamp, isLeft) ?? list.add(timestamp, isLeft);
    item.values = valueStart < 0 ? NONE : readListValue(source, valueStart, valueEnd, RAW_VALUES);
    lists.resize(list);
    lists.put(list, batch);
    if (!item.isAlive) list.items.splice(list.items.indexOf(item), 1);
  }

  #startRestoring(): Restoring {
    const { database, cleanCacheBytes } = this.#context;
    const lists = new PendingLists({
      database,
      space: this.#space,
      keys: RAW_KEYS,
      left: RAW_VALUES,
      right: RAW_VALUES,
      cleanCacheBytes,
    });
    return { lists, pins: new RestorePins(lists.overlay) };
  }

  async restored(): Promise<void> {
    this.#restoring = undefined;
    this.#index.clear();
    await this.#lists.scan((bucketId, identity, items) => this.#index.load(bucketId, identity, items));
    this.#lists.overlay.trustEmptyFrom(this.#index.lastId + 1);
    this.#minTimestamp = Number.NaN;
  }

  close(): void {
    this.#lists.overlay.clear();
    this.#index.clear();
  }
}
