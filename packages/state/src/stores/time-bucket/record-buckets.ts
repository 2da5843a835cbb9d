import { type ByteBuffer, readInt64 } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import type { ChangelogWriter } from '../../contracts/state-store.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import { type KeySpace, PREFIX_BYTES } from '../../layout/key-space.ts';
import type { WriteBatch } from '../../write-batch.ts';
import type { RecordBucket } from './record-bucket.ts';

/** Tag of the rows; `ROW_TAG` is that of the lists. */
const BUCKET_ROW_TAG = 2;
const ROW_BYTES = 256 * 1024;
/** Empty buckets kept for use again, as many as expire in a few commits. */
const SPARE_BUCKETS = 4;
const SPARE_BYTES_MAX = 1024 * 1024;

/**
 * The time buckets of a store that are in memory as a whole.
 *
 * Layout   `[store id][2][bucket, int64][row number, int32]` → records as `RecordBucket` has them, in arrival order. A commit adds
 *          a row per bucket that it wrote to; they are read only when the store is opened. The bucket is deleted row by row, in
 *          the batch of the commit that its expiry belongs to.
 *
 * A bucket whose time has passed is kept until that commit has succeeded: the commit has to log what is new in it, and going
 * back to the commit before brings it back.
 */
export class RecordBuckets<B extends RecordBucket> {
  readonly #database: StateDatabase;
  readonly #space: KeySpace;
  readonly #create: (id: number) => B;
  readonly #live = new Map<number, B>();
  /** Expired, or to be moved to the lists: deleted by the next commit. */
  #leaving: B[] = [];
  /** Those that the commit being prepared deletes. */
  #left: B[] = [];
  /** Records that came after their bucket had expired: they go no further than the changelog. */
  #late: B | undefined;
  readonly #spare: B[] = [];
  #bytes = 0;
  #uncommittedBytes = 0;

  /** @param create makes an empty bucket with the id */
  constructor(database: StateDatabase, space: KeySpace, create: (id: number) => B) {
    this.#database = database;
    this.#space = space;
    this.#create = create;
  }

  get(id: number): B | undefined {
    return this.#live.get(id);
  }

  /** A new bucket; the database has nothing of it. */
  add(id: number): B {
    const bucket = this.#take(id);
    this.#live.set(id, bucket);
    return bucket;
  }

  #take(id: number): B {
    const bucket = this.#spare.pop();
    bucket?.reuse(id);
    return bucket ?? this.#create(id);
  }

  /** Where late records go. */
  get late(): B {
    this.#late ??= this.#take(-1);
    return this.#late;
  }

  /** Counts what was appended to one of the buckets. */
  grown(bytes: number): void {
    this.#bytes += bytes;
    this.#uncommittedBytes += bytes;
  }

  /** Bytes of all records. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the records that are not committed, or belong to buckets that only wait for a commit to delete them. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  /** The buckets whose time has not passed. */
  get live(): Iterable<B> {
    return this.#live.values();
  }

  /** The next commit deletes the bucket. */
  drop(bucket: B): void {
    this.#live.delete(bucket.id);
    this.#leaving.push(bucket);
  }

  /** Buckets below the id have expired. */
  dropBelow(id: number): void {
    for (const bucket of this.#live.values()) {
      if (bucket.id < id) this.drop(bucket);
    }
  }

  /** Logs what is new, and puts it into rows; deletes those of expired buckets. */
  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    for (const bucket of this.#leaving) this.#prepareRemoval(bucket, batch, changelog);
    this.#left.push(...this.#leaving.splice(0));
    if (this.#late !== undefined) {
      this.#prepareRemoval(this.#late, batch, changelog);
      this.#left.push(this.#late);
      this.#late = undefined;
    }
    for (const bucket of this.#live.values()) {
      if (bucket.count === bucket.prepared.count) continue;
      if (changelog !== undefined) bucket.log(changelog);
      this.#putRows(bucket, batch);
      bucket.prepared.set(bucket.count, bucket.bytes);
    }
  }

  #prepareRemoval(bucket: B, batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    if (changelog !== undefined) bucket.log(changelog);
    bucket.prepared.set(bucket.count, bucket.bytes);
    this.deleteRows(bucket, batch);
  }

  #putRows(bucket: B, batch: WriteBatch): void {
    for (let from = bucket.prepared.count; from < bucket.count; ) {
      const to = bucket.rowEnd(from, ROW_BYTES);
      batch.begin();
      this.#writeKey(bucket.id, bucket.rows++, batch.scratch);
      batch.endKey();
      bucket.copyRange(from, to, batch.scratch);
      batch.put();
      from = to;
    }
  }

  /** Deletes the rows that the database has of the bucket, those of the commit being prepared among them. */
  deleteRows(bucket: B, batch: WriteBatch): void {
    for (let row = 0; row < bucket.rows; row++) {
      batch.begin();
      this.#writeKey(bucket.id, row, batch.scratch);
      batch.delete();
    }
  }

  #writeKey(id: number, row: number, target: ByteBuffer): void {
    this.#space.writePrefix(target, BUCKET_ROW_TAG);
    target.writeInt64(id);
    target.writeInt32(row);
  }

  /** Puts at once what has been appended to a bucket while restoring. */
  putRestored(bucket: B, batch: WriteBatch): void {
    this.#putRows(bucket, batch);
    bucket.prepared.set(bucket.count, bucket.bytes);
    this.#uncommittedBytes -= bucket.bytes - bucket.committed.bytes;
    settle(bucket);
  }

  /** Deletes at once the rows of the buckets that were dropped while restoring. */
  deleteDropped(batch: WriteBatch): void {
    for (const bucket of this.#leaving) this.deleteRows(bucket, batch);
    for (const bucket of this.#leaving.splice(0)) this.#recycle(bucket);
  }

  /** Takes a bucket out of memory, whose rows have been deleted. */
  remove(bucket: B): void {
    this.#live.delete(bucket.id);
    this.#leaving = this.#leaving.filter((other) => other !== bucket);
    this.#uncommittedBytes -= bucket.bytes - bucket.committed.bytes;
    this.#recycle(bucket);
  }

  committed(): void {
    for (const bucket of this.#left.splice(0)) this.#recycle(bucket);
    this.#uncommittedBytes = 0;
    for (const bucket of this.#live.values()) this.#settle(bucket);
    for (const bucket of this.#leaving) this.#settle(bucket);
    this.#uncommittedBytes += this.#late?.bytes ?? 0;
  }

  #settle(bucket: B): void {
    settle(bucket);
    this.#uncommittedBytes += bucket.bytes - bucket.committed.bytes;
  }

  #recycle(bucket: B): void {
    this.#bytes -= bucket.bytes;
    if (this.#spare.length < SPARE_BUCKETS && bucket.capacity <= SPARE_BYTES_MAX) this.#spare.push(bucket);
  }

  /** Goes back to the last commit. */
  rollback(): void {
    const buckets = [...this.#left.splice(0), ...this.#leaving.splice(0), ...this.#live.values()];
    this.#live.clear();
    this.#late = undefined;
    this.#bytes = 0;
    this.#uncommittedBytes = 0;
    for (const bucket of buckets) {
      const { count, bytes } = bucket.committed;
      if (count === 0) continue;
      bucket.truncate(count, bytes);
      bucket.prepared.set(count, bytes);
      bucket.rows = bucket.committedRows;
      this.#live.set(bucket.id, bucket);
      this.#bytes += bytes;
    }
  }

  /** Forgets everything and reads what is stored. */
  async load(): Promise<void> {
    this.clear();
    const range = { gte: this.#space.bound(BUCKET_ROW_TAG), lt: this.#space.bound(BUCKET_ROW_TAG + 1) };
    for await (const [key, row] of this.#database.entries(range)) {
      const id = readInt64(asBuffer(key), PREFIX_BYTES);
      (this.#live.get(id) ?? this.add(id)).load(asBuffer(row));
      this.#bytes += row.length;
    }
  }

  clear(): void {
    this.#live.clear();
    this.#leaving = [];
    this.#left = [];
    this.#late = undefined;
    this.#spare.length = 0;
    this.#bytes = 0;
    this.#uncommittedBytes = 0;
  }
}

function settle(bucket: RecordBucket): void {
  bucket.committed.set(bucket.prepared.count, bucket.prepared.bytes);
  bucket.committedRows = bucket.rows;
}
