import { ByteBuffer, readInt64, TaskCorruptedError } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import type { KeySpace } from '../../layout/key-space.ts';
import type { Retention } from '../../layout/retention.ts';
import type { Bucket } from '../../overlay/entry.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import { Overlay } from '../../overlay/overlay.ts';
import type { ValueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { type Version, VersionList } from './version-list.ts';

/** Tag of the rows with the latest versions; those of the past are in the time buckets of {@link Retention}. */
export const LATEST_TAG = 2;

/** Bytes of a stored version besides its value: from, to, length. */
const VERSION_HEADER_BYTES = 20;

export interface VersionRowsOptions<K, V> {
  readonly name: string;
  readonly database: StateDatabase;
  readonly space: KeySpace;
  readonly retention: Retention;
  readonly keys: KeyCodec<K>;
  readonly values: ValueCodec<V>;
  readonly cleanCacheBytes: number;
}

/**
 * The version lists of a store, in memory and in the database.
 *
 * Layout   latest: `[store id][2][key]`; past: `[store id][1][segment of the end, int64][key]`; each a list of
 *          `[from, int64][to, int64][length, int32; −1 for a deletion][value]`.
 */
export class VersionRows<K, V> {
  readonly overlay: Overlay<VersionList>;
  readonly keys: KeyCodec<K>;
  readonly values: ValueCodec<V>;
  readonly #options: VersionRowsOptions<K, V>;
  readonly #scratch = new ByteBuffer(256);

  constructor(options: VersionRowsOptions<K, V>) {
    this.#options = options;
    this.keys = options.keys;
    this.values = options.values;
    this.overlay = new Overlay(options.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  /** The list, of at most one, with the latest version of a key. */
  latest(identity: KeyIdentity): VersionList {
    return this.overlay.find(this.overlay.root, identity);
  }

  /** Past versions that ended in a segment. */
  past(segment: number, identity: KeyIdentity): VersionList {
    return this.overlay.find(this.overlay.bucket(segment), identity);
  }

  isLatest(list: VersionList): boolean {
    return list.bucket === this.overlay.root;
  }

  resize(list: VersionList): void {
    this.overlay.resize(list, this.#sizeOf(list));
  }

  writeKey(list: VersionList, target: ByteBuffer): void {
    if (this.isLatest(list)) this.#options.space.writePrefix(target, LATEST_TAG);
    else this.#options.retention.writeBucket(target, list.bucket.id);
    this.keys.write(list.identity, target);
  }

  /** Puts the row of a list into the batch, or deletes it when the list has become empty. Expired ones go with their bucket. */
  put(list: VersionList, batch: WriteBatch): void {
    const isEmpty = list.versions.length === 0;
    if (isEmpty && !list.persisted) return;
    if (!this.isLatest(list) && list.bucket.id < this.#options.retention.firstBucket) return;
    const { scratch } = batch;
    batch.begin();
    this.writeKey(list, scratch);
    batch.endKey();
    if (isEmpty) {
      batch.delete();
    } else {
      for (const version of list.versions) this.#writeVersion(version, scratch);
      batch.put();
    }
    list.persisted = !isEmpty;
  }

  #writeVersion({ from, to, held }: Version, target: ByteBuffer): void {
    target.writeInt64(from);
    target.writeInt64(to);
    const lengthAt = target.length;
    target.writeInt32(-1);
    if (held === undefined) return;
    this.values.write(held, target);
    target.bytes.writeInt32BE(target.length - lengthAt - 4, lengthAt);
  }

  /** The versions of a stored row. */
  decode(bytes: Buffer): Version[] {
    const versions: Version[] = [];
    for (let at = 0; at < bytes.length; ) {
      const valueStart = at + VERSION_HEADER_BYTES;
      const length = valueStart <= bytes.length ? bytes.readInt32BE(at + 16) : bytes.length;
      const valueEnd = valueStart + Math.max(0, length);
      if (valueEnd > bytes.length) throw this.#corrupt();
      const held = length < 0 ? undefined : this.values.holdAt(bytes, valueStart, valueEnd);
      versions.push({ from: readInt64(bytes, at), to: readInt64(bytes, at + 8), held });
      at = valueEnd;
    }
    return versions;
  }

  #load(bucket: Bucket<VersionList>, identity: KeyIdentity): VersionList {
    const list = new VersionList(bucket, identity);
    this.#scratch.clear();
    this.writeKey(list, this.#scratch);
    const found = this.#options.database.get(this.#scratch.view());
    if (found !== undefined) {
      list.versions = this.decode(asBuffer(found));
      list.persisted = true;
    }
    list.bytes = this.#sizeOf(list);
    return list;
  }

  #sizeOf(list: VersionList): number {
    return list.size(this.values, this.keys.size(list.identity));
  }

  #corrupt(): TaskCorruptedError {
    const message = 'a row with versions ends in the middle of one; the state must be restored from the changelog';
    return new TaskCorruptedError('STATE_CORRUPT', message, { store: this.#options.name });
  }
}
