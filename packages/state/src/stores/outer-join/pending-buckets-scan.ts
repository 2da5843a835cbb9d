import type { RecordBuckets } from '../time-bucket/record-buckets.ts';
import type { PendingBucket } from './pending-bucket.ts';

/** The cursor over everything pending that is in memory as a whole, in the order time, side (right before left), key bytes. */
export class PendingBucketsScan {
  readonly #buckets: RecordBuckets<PendingBucket>;
  #bucket: PendingBucket | undefined;
  /** The change at the cursor, by which the cursor finds its place again when others come before it. */
  #record = -1;
  #position = -1;

  constructor(buckets: RecordBuckets<PendingBucket>) {
    this.#buckets = buckets;
  }

  /** The bucket at the cursor; `undefined` before the first and after the last item. */
  get bucket(): PendingBucket | undefined {
    return this.#record < 0 ? undefined : this.#bucket;
  }

  get record(): number {
    return this.#record;
  }

  rewind(): void {
    this.#bucket = undefined;
    this.#record = -1;
  }

  /** Moves to the next pending item; false at the end. */
  advance(): boolean {
    let bucket = this.#bucket;
    if (bucket === undefined) {
      bucket = this.#nextLive(-Infinity);
      this.#position = (bucket?.head ?? 0) - 1;
    } else if (bucket.sorted[this.#position] !== this.#record) this.#position = bucket.sorted.indexOf(this.#record);
    while (bucket !== undefined) {
      this.#bucket = bucket;
      const { sorted } = bucket;
      while (++this.#position < sorted.length) {
        this.#record = sorted[this.#position] as number;
        if (bucket.isLatest(this.#record)) return true;
      }
      bucket = this.#nextLive(bucket.id);
      this.#position = (bucket?.head ?? 0) - 1;
    }
    this.#record = -1;
    return false;
  }

  /** The time of the first pending item, wherever the cursor stands; Infinity when there is none. */
  get minTimestamp(): number {
    const first = this.#nextLive(-Infinity);
    return first === undefined ? Infinity : first.timestamp(first.sorted[first.head] as number);
  }

  /** The bucket is taken out of memory. */
  release(bucket: PendingBucket): void {
    if (this.#bucket === bucket) this.rewind();
  }

  #nextLive(aboveId: number): PendingBucket | undefined {
    let next: PendingBucket | undefined;
    for (const bucket of this.#buckets.live) {
      if (bucket.live > 0 && bucket.id > aboveId && (next === undefined || bucket.id < next.id)) next = bucket;
    }
    return next;
  }
}
