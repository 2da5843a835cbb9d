import { assert, ByteBuffer, readInt64 } from '@millrace/core';
import type { ChangelogWriter, StoreContext } from '../../contracts/state-store.ts';
import type { KeySpace } from '../../layout/key-space.ts';
import { RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { type HeldValue, RAW_VALUES } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { readListValue } from './list-value.ts';
import { PendingIndex } from './pending-index.ts';
import { NONE, type Pending, type PendingList } from './pending-list.ts';
import { PendingLists } from './pending-lists.ts';
import { PendingScan, SCANNED } from './pending-scan.ts';

/** Bytes before the key in the changelog key: timestamp and side. */
const PREFIX_BYTES = 9;

interface Restoring {
  readonly lists: PendingLists<string, Buffer, Buffer>;
  readonly pins: RestorePins<PendingList>;
}

export interface PendingTableOptions {
  readonly context: StoreContext;
  readonly space: KeySpace;
  readonly bucketMs: number;
  readonly cleanCacheBytes: number;
}

/**
 * The pending records of an outer join store for which there is no room in memory: one list per key and time bucket, which is
 * read and written by itself. Keys are their bytes as latin-1 text, values are bytes.
 */
export class PendingTable {
  readonly #context: StoreContext;
  readonly #space: KeySpace;
  readonly #bucketMs: number;
  readonly #index = new PendingIndex();
  readonly #lists: PendingLists<string, Buffer, Buffer>;
  readonly #scan: PendingScan<string, Buffer, Buffer>;
  readonly #logKey = new ByteBuffer(64);
  /** Lowest pending timestamp; NaN when it has to be looked for. */
  #minTimestamp = Infinity;
  #restoring: Restoring | undefined;

  constructor({ context, space, bucketMs, cleanCacheBytes }: PendingTableOptions) {
    this.#context = context;
    this.#space = space;
    this.#bucketMs = bucketMs;
    this.#lists = this.#createLists(cleanCacheBytes);
    this.#scan = new PendingScan(this.#lists, this.#index);
  }

  #createLists(cleanCacheBytes: number): PendingLists<string, Buffer, Buffer> {
    const { database } = this.#context;
    return new PendingLists({
      database,
      space: this.#space,
      keys: RAW_KEYS,
      left: RAW_VALUES,
      right: RAW_VALUES,
      cleanCacheBytes,
    });
  }

  /** True when nothing is pending here, and nothing waits for a commit. */
  get isEmpty(): boolean {
    return this.#index.lastId < 0;
  }

  /** True when something has been restored into it. */
  get hasRestored(): boolean {
    return this.#restoring !== undefined;
  }

  /** True when the item is pending, or its removal has not been logged. */
  has(isLeft: boolean, key: string, timestamp: number): boolean {
    const id = this.#bucketOf(timestamp);
    return this.#index.get(id) !== undefined && this.#lists.peek(id, key)?.get(timestamp, isLeft) !== undefined;
  }

  put(isLeft: boolean, key: string, value: HeldValue, timestamp: number): void {
    const list = this.#lists.find(this.#bucketOf(timestamp), key);
    const item = list.get(timestamp, isLeft) ?? list.add(timestamp, isLeft);
    const wasAlive = item.isAlive;
    this.#noteChange(item);
    item.addValue(value);
    this.#lists.resize(list);
    if (wasAlive) return;
    this.#scan.insert(this.#index.add(list), item);
    this.#minTimestamp = Math.min(this.#minTimestamp, timestamp);
  }

  remove(isLeft: boolean, key: string, timestamp: number): void {
    const bucket = this.#index.get(this.#bucketOf(timestamp));
    // Most matches are of records that were never pending: no look-up for them.
    if (bucket === undefined || bucket.live === 0) return;
    const item = this.#lists.peek(bucket.id, key)?.get(timestamp, isLeft);
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

  /** The item at the cursor; `undefined` before the first and after the last. */
  get current(): Pending | undefined {
    return this.#scan.current;
  }

  removeCurrent(): void {
    const item = this.#scan.current;
    if (item?.isAlive === true) this.#remove(item);
  }

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
    RAW_KEYS.write(item.list.identity, key);
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

  restore(batch: WriteBatch, source: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const keyAt = keyStart + PREFIX_BYTES;
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
    const lists = this.#createLists(this.#context.cleanCacheBytes);
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
