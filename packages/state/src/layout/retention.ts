import type { ByteBuffer } from '@millrace/core';
import type { WriteBatch } from '../write-batch.ts';
import { type KeySpace, PREFIX_BYTES, ROW_TAG } from './key-space.ts';

/** Kafka Streams' least segment size: `Stores` and `StreamJoinedStoreFactory`. */
const SEGMENT_MS_MIN = 60_000;

/** Bytes before a store's own part of the local keys of rows in time buckets. */
export const BUCKET_PREFIX_BYTES = PREFIX_BYTES + 8;

/** The width of Kafka Streams' segments for a retention; it decides which writes a store refuses. */
export function segmentWidthMs(retentionMs: number): number {
  return Math.max(Math.floor(retentionMs / 2), SEGMENT_MS_MIN);
}

/**
 * What a store with retention knows of time: the highest time it has been given, and what that makes of a row.
 *
 * - readable: `time > observed − retention`, exactly;
 * - writable: the segment of `time` still lives, as in Kafka Streams' RocksDB stores; so a row can be accepted and yet
 *   not be readable;
 * - stored: rows are kept in time buckets; a bucket goes as a whole, by a range delete, once none of its rows is readable;
 * - held: rows that are still needed stay readable and stored beyond their retention.
 *
 * The layout that this class knows: `[store id][1][bucket, int64][…]`, with a meta row that holds the observed time.
 *
 * Source: Kafka Streams `AbstractRocksDBSegmentedBytesStore.put`, `.fetch`.
 */
export class Retention {
  readonly #space: KeySpace;
  readonly #retentionMs: number;
  readonly #segmentMs: number;
  readonly #bucketMs: number;
  readonly #tags: readonly number[];
  /** The time from which on the first kept bucket changes. */
  #nextExpiry = -Infinity;
  #firstBucket = 0;
  #observed = -1;
  #observedPrepared = -1;
  #observedCommitted = -1;
  /** Rows from this time on are kept however old they are. */
  #heldFrom = Infinity;
  /** Buckets below this id have been deleted by a batch, or by one that is being written. */
  #deletedBelow = 0;
  #deletedBelowCommitted = 0;

  /** @param tags the kinds of rows that are kept in buckets: all of a bucket go together */
  constructor(space: KeySpace, retentionMs: number, bucketMs: number, tags: readonly number[] = [ROW_TAG]) {
    this.#space = space;
    this.#tags = tags;
    this.#retentionMs = retentionMs;
    this.#segmentMs = segmentWidthMs(retentionMs);
    this.#bucketMs = bucketMs;
    this.#moveTo(-1);
  }

  /** The highest time that the store has been given; −1 before the first. */
  get observed(): number {
    return this.#observed;
  }

  get oldestReadable(): number {
    return Math.min(this.#observed - this.#retentionMs + 1, this.#heldFrom);
  }

  /** The first bucket that holds readable rows. */
  get firstBucket(): number {
    return this.#firstBucket;
  }

  bucketOf(time: number): number {
    return Math.floor(time / this.#bucketMs);
  }

  isReadable(time: number): boolean {
    return time > this.#observed - this.#retentionMs || time >= this.#heldFrom;
  }

  isWritable(time: number): boolean {
    const segment = Math.floor(time / this.#segmentMs);
    return segment >= Math.floor((this.#observed - this.#retentionMs) / this.#segmentMs) || time >= this.#heldFrom;
  }

  isStored(time: number): boolean {
    return this.bucketOf(time) >= this.#firstBucket;
  }

  /** The store is given a row of this time. Returns true when that makes buckets expire. */
  observe(time: number): boolean {
    if (time <= this.#observed) return false;
    this.#observed = time;
    if (time < this.#nextExpiry) return false;
    return this.#moveTo(time);
  }

  /** Keeps rows from a time on beyond their retention; Infinity lets all go. Returns true when that makes buckets expire. */
  hold(from: number): boolean {
    if (from === this.#heldFrom) return false;
    this.#heldFrom = from;
    return this.#moveTo(this.#observed);
  }

  #moveTo(observed: number): boolean {
    const before = this.#firstBucket;
    this.#observed = observed;
    this.#firstBucket = Math.max(0, this.bucketOf(this.oldestReadable));
    this.#nextExpiry = (this.#firstBucket + 1) * this.#bucketMs + this.#retentionMs - 1;
    return this.#firstBucket > before;
  }

  /**
   * True when the observed time is that of this row, and was lower at the last commit. A restore must learn of such a row
   * even if it is deleted again: else the restored store would take other rows to be readable.
   */
  isNews(time: number): boolean {
    return time === this.#observed && time > this.#observedCommitted;
  }

  /** True when the observed time has moved since the last commit. */
  get hasMoved(): boolean {
    return this.#observed !== this.#observedCommitted;
  }

  /**
   * Deletes expired buckets, and remembers the observed time as that of the commit which the batch belongs to.
   *
   * Deleting starts from the very first bucket after a restart, because an engine may lose a range delete when the process
   * dies; nobody can read the rows meanwhile.
   */
  prepareCommit(batch: WriteBatch): void {
    this.#observedPrepared = this.#observed;
    if (this.#deletedBelow >= this.#firstBucket) return;
    for (const tag of this.#tags) {
      batch.begin();
      this.writeBucket(batch.scratch, this.#deletedBelow, tag);
      batch.endKey();
      this.writeBucket(batch.scratch, this.#firstBucket, tag);
      batch.deleteRange();
    }
    this.#deletedBelow = this.#firstBucket;
  }

  /** Writes the first part of the local keys of a bucket. */
  writeBucket(target: ByteBuffer, bucket: number, tag: number = ROW_TAG): void {
    this.#space.writePrefix(target, tag);
    target.writeInt64(bucket);
  }

  committed(): void {
    this.#observedCommitted = this.#observedPrepared;
    this.#deletedBelowCommitted = this.#deletedBelow;
  }

  rollback(): void {
    this.#observedPrepared = this.#observedCommitted;
    this.#deletedBelow = this.#deletedBelowCommitted;
    this.#moveTo(this.#observedCommitted);
  }

  /** Takes over what the meta row says. */
  reset(observed: number): void {
    this.#deletedBelow = 0;
    this.#deletedBelowCommitted = 0;
    this.#observedPrepared = observed;
    this.#observedCommitted = observed;
    this.#moveTo(observed);
  }
}
