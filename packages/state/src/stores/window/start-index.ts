import { ByteBuffer, readInt64 } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import { INDEX_TAG } from '../../layout/key-space.ts';
import type { Retention } from '../../layout/retention.ts';
import { type Bucket, Entry, ENTRY_BYTES } from '../../overlay/entry.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import { Overlay } from '../../overlay/overlay.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import type { WriteBatch } from '../../write-batch.ts';

export interface StartIndexOptions<K> {
  readonly database: StateDatabase;
  readonly retention: Retention;
  readonly keys: KeyCodec<K>;
  readonly cleanCacheBytes: number;
  /** How much time one row of the index covers, ms: about the length of the ranges that are asked for. */
  readonly spanMs: number;
}

/** The starts of the windows of one key in one span of time: one row of the index. */
class StartList extends Entry {
  /** Ascending. Some may have no row any more. */
  readonly starts: number[] = [];

  /** Returns false when the start is there already. */
  add(start: number): boolean {
    const { starts } = this;
    let at = starts.length;
    while (at > 0 && (starts[at - 1] as number) > start) at--;
    if (starts[at - 1] === start) return false;
    starts.splice(at, 0, start);
    return true;
  }
}

/**
 * Which windows a key has: what lets an operator find them by point reads, as iterators are asynchronous.
 *
 * A start stays in the index when its row is deleted; both go with their time bucket.
 *
 * Layout   `[store id][2][bucket of the span's end, int64][span, int64][key]` → starts, an int64 each.
 */
export class StartIndex<K> {
  readonly #options: StartIndexOptions<K>;
  readonly #overlay: Overlay<StartList>;
  readonly #scratch = new ByteBuffer(256);
  #pins: RestorePins<StartList> | undefined;

  constructor(options: StartIndexOptions<K>) {
    this.#options = options;
    this.#overlay = new Overlay(options.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  /** The database has no starts from this one on. */
  trustEmptyFrom(start: number): void {
    this.#overlay.trustEmptyFrom(this.#spanOf(start) + 1);
  }

  add(identity: KeyIdentity, start: number): void {
    const list = this.#overlay.find(this.#overlay.bucket(this.#spanOf(start)), identity);
    this.#overlay.markDirty(list);
    if (list.add(start)) this.#overlay.resize(list, this.#sizeOf(list));
  }

  /** Adds the starts of a key with `from ≤ start ≤ to` to a list, ascending. */
  find(identity: KeyIdentity, from: number, to: number, into: number[]): void {
    const last = this.#spanOf(Math.min(to, this.#options.retention.observed));
    for (let span = this.#spanOf(Math.max(from, 0)); span <= last; span++) {
      const list = this.#overlay.peek(this.#overlay.bucket(span), identity);
      if (list === undefined) continue;
      for (const start of list.starts) if (start >= from && start <= to) into.push(start);
    }
  }

  /** Forgets what lies wholly before a time. */
  dropBefore(time: number): void {
    this.#overlay.dropBucketsBelow(this.#spanOf(time));
  }

  #spanOf(start: number): number {
    return Math.floor(start / this.#options.spanMs);
  }

  prepareCommit(batch: WriteBatch): void {
    for (const list of this.#overlay.startCommit()) if (this.#isStored(list)) this.#put(list, batch);
  }

  /** The row lives as long as the last window that the span may have. */
  #bucketOf(span: number): number {
    return this.#options.retention.bucketOf((span + 1) * this.#options.spanMs - 1);
  }

  #isStored({ bucket }: StartList): boolean {
    return this.#bucketOf(bucket.id) >= this.#options.retention.firstBucket;
  }

  #put(list: StartList, batch: WriteBatch): void {
    batch.begin();
    this.#writeKey(list, batch.scratch);
    batch.endKey();
    for (const start of list.starts) batch.scratch.writeInt64(start);
    batch.put();
  }

  committed(): void {
    this.#overlay.endCommit();
  }

  rollback(): void {
    this.#overlay.clear();
  }

  get dirtyBytes(): number {
    return this.#overlay.pinnedBytes;
  }

  /** Adds a start while the store is restored; it is put into the batch at once. */
  restore(identity: KeyIdentity, start: number, batch: WriteBatch): void {
    this.#pins ??= new RestorePins(this.#overlay);
    this.#pins.release();
    const list = this.#overlay.find(this.#overlay.bucket(this.#spanOf(start)), identity);
    this.#pins.pin(list, batch);
    if (!list.add(start)) return;
    this.#overlay.resize(list, this.#sizeOf(list));
    this.#put(list, batch);
  }

  #writeKey(list: StartList, target: ByteBuffer): void {
    this.#options.retention.writeBucket(target, this.#bucketOf(list.bucket.id), INDEX_TAG);
    target.writeInt64(list.bucket.id);
    this.#options.keys.write(list.identity, target);
  }

  #load(bucket: Bucket<StartList>, identity: KeyIdentity): StartList {
    const list = new StartList(bucket, identity);
    this.#scratch.clear();
    this.#writeKey(list, this.#scratch);
    const found = bucket.isComplete ? undefined : this.#options.database.get(this.#scratch.view());
    if (found !== undefined) {
      const bytes = asBuffer(found);
      for (let at = 0; at + 8 <= bytes.length; at += 8) list.starts.push(readInt64(bytes, at));
    }
    list.bytes = this.#sizeOf(list);
    return list;
  }

  #sizeOf(list: StartList): number {
    return ENTRY_BYTES + this.#options.keys.size(list.identity) + 8 * list.starts.length;
  }
}
