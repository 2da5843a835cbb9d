import { assert } from '@millrace/core';
import type { ValueCodec } from '../../overlay/value-codec.ts';
import type { RecordBuckets } from '../time-bucket/record-buckets.ts';
import { readListValue } from './list-value.ts';
import { LEFT, type PendingBucket, RIGHT, WRITTEN_AT_BYTES } from './pending-bucket.ts';
import { PendingBucketsScan } from './pending-buckets-scan.ts';
import type { Pending } from './pending-list.ts';
import type { PendingTable } from './pending-table.ts';

/** The cursor over all pending items, in the order time, side (right before left), key bytes: merges those of buckets and table. */
export class PendingCursor {
  readonly #scan: PendingBucketsScan;
  readonly #table: PendingTable;
  readonly #store: string;
  /** Whether each of the two stands at an item. */
  #scanHas = false;
  #tableHas = false;
  /** Which of the two the cursor is at. */
  #isAtTable = false;
  #isRewound = true;

  constructor(buckets: RecordBuckets<PendingBucket>, table: PendingTable, store: string) {
    this.#scan = new PendingBucketsScan(buckets);
    this.#table = table;
    this.#store = store;
  }

  get minTimestamp(): number {
    return Math.min(this.#scan.minTimestamp, this.#table.isEmpty ? Infinity : this.#table.minTimestamp);
  }

  rewind(): void {
    this.#scan.rewind();
    this.#table.rewind();
    this.#isRewound = true;
    this.#scanHas = false;
    this.#tableHas = false;
    this.#isAtTable = false;
  }

  /** The bucket is taken out of memory. */
  release(bucket: PendingBucket): void {
    this.#scan.release(bucket);
  }

  /** Moves to the next pending item; false at the end. */
  advance(): boolean {
    if (this.#isRewound || (this.#scanHas && !this.#isAtTable)) this.#scanHas = this.#scan.advance();
    if (this.#isRewound || this.#isAtTable) this.#tableHas = !this.#table.isEmpty && this.#table.advance();
    this.#isRewound = false;
    this.#isAtTable = this.#tableHas && (!this.#scanHas || this.#isTableFirst());
    return this.#scanHas || this.#tableHas;
  }

  #isTableFirst(): boolean {
    const { bucket, record } = this.#scan;
    const item = this.#table.current;
    assert(bucket !== undefined && item !== undefined, 'a cursor that has an item stands nowhere');
    const difference = item.timestamp - bucket.timestamp(record);
    if (difference !== 0) return difference < 0;
    const key = Buffer.concat([Buffer.from([item.isLeft ? LEFT : RIGHT]), bytesOfKey(item)]);
    return key.compare(bucket.buffer, bucket.keyStart(record), bucket.keyEnd(record)) < 0;
  }

  /** The bucket with the item, which is the change {@link record}; undefined when the table has it. */
  get bucket(): PendingBucket | undefined {
    if (this.#isAtTable) return undefined;
    const bucket = this.#scanHas ? this.#scan.bucket : undefined;
    assert(bucket !== undefined, `the cursor of store ${this.#store} is not at a list; call advance first`);
    return bucket;
  }

  get record(): number {
    return this.#scan.record;
  }

  get #item(): Pending {
    const item = this.#table.current;
    assert(item !== undefined, `the cursor of store ${this.#store} is not at a list; call advance first`);
    return item;
  }

  get isLeft(): boolean {
    const { bucket } = this;
    return bucket === undefined ? this.#item.isLeft : bucket.buffer[bucket.keyStart(this.record)] === LEFT;
  }

  get timestamp(): number {
    return this.bucket?.timestamp(this.record) ?? this.#item.timestamp;
  }

  /** The bytes of the key; a view or a copy. */
  get key(): Buffer {
    const { bucket, record } = this;
    return bucket?.buffer.subarray(bucket.keyStart(record) + 1, bucket.keyEnd(record)) ?? bytesOfKey(this.#item);
  }

  /** The values, in arrival order. */
  values<V>(codec: ValueCodec<V>): V[] {
    const { bucket, record } = this;
    const held =
      bucket === undefined
        ? (this.#item.values as Buffer[]).map((bytes) => codec.holdAt(bytes, 0, bytes.length))
        : readListValue(bucket.buffer, bucket.valueStart(record) + WRITTEN_AT_BYTES, bucket.valueEnd(record), codec);
    return held.map((one) => codec.value(one));
  }
}

function bytesOfKey(item: Pending): Buffer {
  return Buffer.from(item.list.identity as string, 'latin1');
}
