import { ByteBuffer, latin1Slice, readInt64, TaskCorruptedError } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import { type KeySpace, PREFIX_BYTES, ROW_TAG } from '../../layout/key-space.ts';
import { type Bucket, ENTRY_BYTES } from '../../overlay/entry.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import { Overlay } from '../../overlay/overlay.ts';
import type { ValueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { readListValue, writeListValue } from './list-value.ts';
import { type Pending, PendingList } from './pending-list.ts';

/** Bytes of a stored item besides its values: timestamp, side, length. */
const ITEM_HEADER_BYTES = 13;
/** Memory that an item costs besides its values. */
const ITEM_BYTES = 112;

export interface PendingListsOptions<K, L, R> {
  readonly database: StateDatabase;
  readonly space: KeySpace;
  readonly keys: KeyCodec<K>;
  readonly left: ValueCodec<L>;
  readonly right: ValueCodec<R>;
  readonly cleanCacheBytes: number;
}

/**
 * The pending lists of a store: in memory and in the database.
 *
 * Layout   `[store id][1][bucket, int64][key]` → per item `[timestamp, int64][side, 1 byte][length, int32][list value]`.
 */
export class PendingLists<K, L, R> {
  readonly overlay: Overlay<PendingList>;
  readonly #options: PendingListsOptions<K, L, R>;
  readonly #scratch = new ByteBuffer(256);

  constructor(options: PendingListsOptions<K, L, R>) {
    this.#options = options;
    this.overlay = new Overlay(options.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  find(bucketId: number, identity: KeyIdentity): PendingList {
    return this.overlay.find(this.overlay.bucket(bucketId), identity);
  }

  /** The list of a key in a bucket; undefined when there certainly is none. */
  peek(bucketId: number, identity: KeyIdentity): PendingList | undefined {
    return this.overlay.peek(this.overlay.bucket(bucketId), identity);
  }

  codec(isLeft: boolean): ValueCodec<L | R> {
    return (isLeft ? this.#options.left : this.#options.right) as ValueCodec<L | R>;
  }

  keyText(list: PendingList): string {
    if (list.keyText === undefined) {
      this.#scratch.clear();
      this.#options.keys.write(list.identity, this.#scratch);
      list.keyText = latin1Slice(this.#scratch.bytes, 0, this.#scratch.length);
    }
    return list.keyText;
  }

  resize(list: PendingList): void {
    this.overlay.resize(list, this.#sizeOf(list));
  }

  /** Puts the row of a list into the batch, or deletes it when nothing is left, and notes where each value stands. */
  put(list: PendingList, batch: WriteBatch): void {
    const { scratch } = batch;
    const isEmpty = list.items.every((item) => !item.isAlive);
    if (isEmpty && !list.persisted) return;
    batch.begin();
    this.#writeKey(list, scratch);
    batch.endKey();
    for (const item of list.items) if (item.isAlive) this.#writeItem(item, scratch);
    if (isEmpty) batch.delete();
    else batch.put();
    list.persisted = !isEmpty;
  }

  #writeItem(item: Pending, target: ByteBuffer): void {
    target.writeInt64(item.timestamp);
    target.writeUint8(item.isLeft ? 1 : 0);
    const lengthAt = target.length;
    target.writeInt32(0);
    item.valueStart = target.length;
    writeListValue(item.values, item.isLeft, this.codec(item.isLeft), target);
    item.valueEnd = target.length;
    target.bytes.writeInt32BE(item.valueEnd - item.valueStart, lengthAt);
  }

  /** Visits every stored row: which bucket and key, and how many items. */
  async scan(visit: (bucketId: number, identity: KeyIdentity, items: number) => void): Promise<void> {
    const { database, space, keys } = this.#options;
    const range = { gte: space.bound(ROW_TAG), lt: space.bound(ROW_TAG + 1) };
    for await (const [keyBytes, valueBytes] of database.entries(range)) {
      const key = asBuffer(keyBytes);
      let items = 0;
      forEachItem(asBuffer(valueBytes), () => items++);
      visit(readInt64(key, PREFIX_BYTES), keys.identityAt(key, PREFIX_BYTES + 8, key.length), items);
    }
  }

  #writeKey(list: PendingList, target: ByteBuffer): void {
    this.#options.space.writePrefix(target, ROW_TAG);
    target.writeInt64(list.bucket.id);
    this.#options.keys.write(list.identity, target);
  }

  #load(bucket: Bucket<PendingList>, identity: KeyIdentity): PendingList {
    const list = new PendingList(bucket, identity);
    this.#scratch.clear();
    this.#writeKey(list, this.#scratch);
    const found = bucket.isComplete ? undefined : this.#options.database.get(this.#scratch.view());
    if (found !== undefined) {
      const bytes = asBuffer(found);
      forEachItem(bytes, (timestamp, isLeft, start, end) => {
        const item = list.add(timestamp, isLeft);
        item.values = readListValue(bytes, start, end, this.codec(isLeft));
        item.persisted = true;
      });
      list.persisted = true;
    }
    list.bytes = this.#sizeOf(list);
    return list;
  }

  #sizeOf(list: PendingList): number {
    let bytes = ENTRY_BYTES + this.#options.keys.size(list.identity);
    for (const { isLeft, values } of list.items) {
      bytes += ITEM_BYTES;
      for (const value of values) bytes += this.codec(isLeft).size(value);
    }
    return bytes;
  }
}

function forEachItem(bytes: Buffer, visit: (timestamp: number, isLeft: boolean, start: number, end: number) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const start = at + ITEM_HEADER_BYTES;
    const end = start <= bytes.length ? start + bytes.readInt32BE(at + 9) : -1;
    if (end < start || end > bytes.length)
      throw new TaskCorruptedError('STATE_CORRUPT', 'a stored list of pending records is cut off');
    visit(readInt64(bytes, at), bytes[at + 8] === 1, start, end);
    at = end;
  }
}
