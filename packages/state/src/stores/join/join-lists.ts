import { ByteBuffer, readInt64, TaskCorruptedError } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import type { Retention } from '../../layout/retention.ts';
import { type Bucket, ENTRY_BYTES } from '../../overlay/entry.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import { Overlay } from '../../overlay/overlay.ts';
import type { ValueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { JoinList } from './join-list.ts';

const OPEN = 0;
const FULL = 1;
/** Bytes of a stored record besides its value: timestamp, length. */
const RECORD_HEADER_BYTES = 12;
/** Memory that a record costs besides its value. */
const RECORD_BYTES = 24;

export interface JoinListsOptions<K, V> {
  readonly database: StateDatabase;
  readonly retention: Retention;
  readonly keys: KeyCodec<K>;
  readonly values: ValueCodec<V>;
  readonly cleanCacheBytes: number;
  /** A chunk of this size is full. Larger: fewer reads per list, more rewritten per commit. */
  readonly chunkBytes: number;
}

/**
 * The join lists of a store: in memory and in the database.
 *
 * Layout   `[store id][1][bucket, int64][key][chunk, int32]` → `[full, 1 byte]`, per record `[timestamp, int64][length, int32][value]`.
 *          Chunks are numbered from 0; one that is full has a successor, or is followed by nothing yet.
 */
export class JoinLists<K, V> {
  readonly overlay: Overlay<JoinList>;
  readonly #options: JoinListsOptions<K, V>;
  readonly #scratch = new ByteBuffer(256);

  constructor(options: JoinListsOptions<K, V>) {
    this.#options = options;
    this.overlay = new Overlay(options.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  find(bucketId: number, identity: KeyIdentity): JoinList {
    return this.overlay.find(this.overlay.bucket(bucketId), identity);
  }

  /** The list of a key in a bucket; undefined when there certainly is none. */
  peek(bucketId: number, identity: KeyIdentity): JoinList | undefined {
    return this.overlay.peek(this.overlay.bucket(bucketId), identity);
  }

  /** Adds a record; the list must be pinned. */
  append(list: JoinList, timestamp: number, value: unknown): void {
    list.append(timestamp, value);
    this.overlay.resize(list, list.bytes + RECORD_BYTES + this.#options.values.size(value));
  }

  /** Puts the chunks that have changed since the last call: the open one, and those that follow it. */
  put(list: JoinList, batch: WriteBatch): void {
    const count = list.timestamps.length;
    while (list.chunkStart < count) {
      const end = this.#putChunk(list, batch);
      if (end === undefined) return;
      list.chunk++;
      list.chunkStart = end;
    }
  }

  /** Returns the end of a chunk that has become full. */
  #putChunk(list: JoinList, batch: WriteBatch): number | undefined {
    const { scratch } = batch;
    batch.begin();
    this.#writeKey(list, list.chunk, scratch);
    batch.endKey();
    const start = scratch.length;
    scratch.writeUint8(OPEN);
    let next = list.chunkStart;
    while (next < list.timestamps.length && scratch.length - start < this.#options.chunkBytes)
      this.#writeRecord(list, next++, scratch);
    const full = scratch.length - start >= this.#options.chunkBytes;
    if (full) scratch.bytes[start] = FULL;
    batch.put();
    return full ? next : undefined;
  }

  #writeRecord(list: JoinList, index: number, target: ByteBuffer): void {
    target.writeInt64(list.timestamps[index] as number);
    const lengthAt = target.length;
    target.writeInt32(0);
    this.#options.values.write(list.values[index], target);
    target.bytes.writeInt32BE(target.length - lengthAt - 4, lengthAt);
  }

  #writeKey(list: JoinList, chunk: number, target: ByteBuffer): void {
    this.#options.retention.writeBucket(target, list.bucket.id);
    this.#options.keys.write(list.identity, target);
    target.writeInt32(chunk);
  }

  #load(bucket: Bucket<JoinList>, identity: KeyIdentity): JoinList {
    const list = new JoinList(bucket, identity);
    while (!bucket.isComplete) {
      this.#scratch.clear();
      this.#writeKey(list, list.chunk, this.#scratch);
      const found = this.#options.database.get(this.#scratch.view());
      if (found === undefined || !this.#readChunk(list, asBuffer(found))) break;
      list.chunk++;
      list.chunkStart = list.timestamps.length;
    }
    list.logged = list.timestamps.length;
    list.bytes = ENTRY_BYTES + this.#options.keys.size(identity) + list.timestamps.length * RECORD_BYTES;
    for (const value of list.values) list.bytes += this.#options.values.size(value);
    return list;
  }

  /** Returns whether the chunk is full. */
  #readChunk(list: JoinList, bytes: Buffer): boolean {
    let at = 1;
    while (at < bytes.length) {
      const valueStart = at + RECORD_HEADER_BYTES;
      const valueEnd = valueStart <= bytes.length ? valueStart + bytes.readInt32BE(at + 8) : -1;
      if (valueEnd < valueStart || valueEnd > bytes.length)
        throw new TaskCorruptedError('STATE_CORRUPT', 'a stored join buffer is cut off');
      list.append(readInt64(bytes, at), this.#options.values.holdAt(bytes, valueStart, valueEnd));
      at = valueEnd;
    }
    return bytes[0] === FULL;
  }
}
