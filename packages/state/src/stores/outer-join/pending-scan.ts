import type { IndexedBucket, PendingIndex } from './pending-index.ts';
import type { Pending } from './pending-list.ts';
import type { PendingLists } from './pending-lists.ts';

/** Pins lists whose items a sorted bucket refers to: evicted and loaded again they would be other objects. */
export const SCANNED = 8;

/**
 * The cursor over everything pending, in the order time, side (right before left), key bytes.
 *
 * A bucket is sorted when the cursor first comes to it and kept so until nothing in it is pending.
 */
export class PendingScan<K, L, R> {
  readonly #lists: PendingLists<K, L, R>;
  readonly #index: PendingIndex;
  #bucket: IndexedBucket | undefined;
  #position = -1;

  constructor(lists: PendingLists<K, L, R>, index: PendingIndex) {
    this.#lists = lists;
    this.#index = index;
  }

  /** The item at the cursor; `undefined` before the first and after the last. */
  get current(): Pending | undefined {
    return this.#bucket?.sorted?.[this.#position];
  }

  rewind(): void {
    this.#bucket = undefined;
    this.#position = -1;
  }

  /** Moves to the next pending item; false at the end. */
  advance(): boolean {
    let bucket = this.#bucket ?? this.#index.nextLive(-Infinity);
    while (bucket !== undefined) {
      const sorted = this.#sort(bucket);
      if (this.#position < bucket.head) this.#position = bucket.head - 1;
      this.#bucket = bucket;
      while (++this.#position < sorted.length) if ((sorted[this.#position] as Pending).isAlive) return true;
      this.#position = -1;
      bucket = this.#index.nextLive(bucket.id);
    }
    return false;
  }

  /** The first pending item, wherever the cursor stands. */
  first(): Pending | undefined {
    for (let bucket = this.#index.nextLive(-Infinity); bucket !== undefined; bucket = this.#index.nextLive(bucket.id)) {
      const sorted = this.#sort(bucket);
      while (bucket.head < sorted.length && !(sorted[bucket.head] as Pending).isAlive) bucket.head++;
      if (bucket.head < sorted.length) return sorted[bucket.head];
    }
    return undefined;
  }

  /** An item has come to be pending in a bucket. */
  insert(bucket: IndexedBucket, item: Pending): void {
    const { sorted } = bucket;
    if (sorted === undefined) return;
    if (item.isSorted) {
      bucket.head = 0;
      return;
    }
    let at = sorted.length;
    while (at > 0 && this.#compare(sorted[at - 1] as Pending, item) > 0) at--;
    sorted.splice(at, 0, item);
    item.isSorted = true;
    bucket.head = Math.min(bucket.head, at);
    this.#lists.overlay.pin(item.list, SCANNED);
    if (bucket === this.#bucket && at <= this.#position) this.#position++;
  }

  /** Nothing is pending in the bucket and all of it is committed. */
  release(bucket: IndexedBucket): void {
    for (const item of bucket.sorted ?? []) {
      item.isSorted = false;
      this.#lists.overlay.unpin(item.list, SCANNED);
    }
    if (this.#bucket === bucket) this.rewind();
  }

  #sort(bucket: IndexedBucket): readonly Pending[] {
    if (bucket.sorted !== undefined) return bucket.sorted;
    const items: Pending[] = [];
    for (const identity of new Set(bucket.keys)) {
      const list = this.#lists.find(bucket.id, identity);
      this.#lists.overlay.pin(list, SCANNED);
      for (const item of list.items) {
        if (!item.isAlive) continue;
        item.isSorted = true;
        items.push(item);
      }
    }
    bucket.sorted = items.sort((a, b) => this.#compare(a, b));
    return bucket.sorted;
  }

  #compare(a: Pending, b: Pending): number {
    if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
    if (a.isLeft !== b.isLeft) return a.isLeft ? 1 : -1;
    const [textA, textB] = [this.#lists.keyText(a.list), this.#lists.keyText(b.list)];
    return textA < textB ? -1 : textA > textB ? 1 : 0;
  }
}
