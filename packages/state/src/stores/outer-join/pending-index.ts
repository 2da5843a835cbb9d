import type { KeyIdentity } from '../../overlay/key-codec.ts';
import type { Pending, PendingList } from './pending-list.ts';

/** Numbers of a bucket as they are at some moment of a commit. */
interface Counts {
  keys: number;
  live: number;
}

/** What is known of a time bucket without reading its rows. */
export class IndexedBucket {
  readonly id: number;
  /** Keys that may have something pending, in arrival order; some have nothing any more, some stand twice. */
  readonly keys: KeyIdentity[] = [];
  /** How many items are pending. */
  live = 0;
  /** The items in scan order, gone ones among them; made when a scan comes here. */
  sorted: Pending[] | undefined = undefined;
  /** Nothing in `sorted` before this index is pending. */
  head = 0;
  readonly prepared: Counts = { keys: 0, live: 0 };
  readonly committed: Counts = { keys: 0, live: 0 };

  constructor(id: number) {
    this.id = id;
  }
}

/**
 * Which time buckets have pending records, and under which keys: what lets a synchronous scan find rows by point reads.
 *
 * It is in memory whole (a reference per pending record), and is rebuilt from the rows when the store is opened.
 */
export class PendingIndex {
  readonly #buckets = new Map<number, IndexedBucket>();
  /** The ids of `#buckets`, ascending. */
  #ids: number[] = [];

  /** The highest id of a bucket; −1 when there is none. */
  get lastId(): number {
    return this.#ids.at(-1) ?? -1;
  }

  get(id: number): IndexedBucket | undefined {
    return this.#buckets.get(id);
  }

  /** The first bucket above an id that has something pending. */
  nextLive(aboveId: number): IndexedBucket | undefined {
    for (const id of this.#ids) {
      if (id <= aboveId) continue;
      const bucket = this.#buckets.get(id) as IndexedBucket;
      if (bucket.live > 0) return bucket;
    }
    return undefined;
  }

  /** An item of the list has come to be pending. */
  add(list: PendingList): IndexedBucket {
    const bucket = this.#bucket(list.bucket.id);
    bucket.live++;
    // A list with a row was in the index when the row was written; the index of a bucket begins anew once it is forgotten.
    if (list.indexedIn !== bucket && !list.persisted) bucket.keys.push(list.identity);
    list.indexedIn = bucket;
    return bucket;
  }

  /** Takes over a row of the database. */
  load(id: number, identity: KeyIdentity, items: number): void {
    const bucket = this.#bucket(id);
    bucket.keys.push(identity);
    bucket.live += items;
    note(bucket, bucket.committed);
    note(bucket, bucket.prepared);
  }

  #bucket(id: number): IndexedBucket {
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      bucket = new IndexedBucket(id);
      this.#buckets.set(id, bucket);
      let at = this.#ids.length;
      while (at > 0 && (this.#ids[at - 1] as number) > id) at--;
      this.#ids.splice(at, 0, id);
    }
    return bucket;
  }

  prepareCommit(): void {
    for (const bucket of this.#buckets.values()) note(bucket, bucket.prepared);
  }

  /** Returns the buckets that nobody needs any more. */
  committed(): readonly IndexedBucket[] {
    const finished: IndexedBucket[] = [];
    for (const bucket of this.#buckets.values()) {
      bucket.committed.keys = bucket.prepared.keys;
      bucket.committed.live = bucket.prepared.live;
      if (bucket.live === 0 && bucket.committed.live === 0) finished.push(bucket);
    }
    this.#forget(finished);
    return finished;
  }

  /** Goes back to the last commit. */
  rollback(): void {
    const finished: IndexedBucket[] = [];
    for (const bucket of this.#buckets.values()) {
      bucket.keys.length = bucket.committed.keys;
      bucket.live = bucket.committed.live;
      bucket.sorted = undefined;
      bucket.head = 0;
      if (bucket.keys.length === 0) finished.push(bucket);
    }
    this.#forget(finished);
  }

  #forget(finished: readonly IndexedBucket[]): void {
    if (finished.length === 0) return;
    for (const bucket of finished) this.#buckets.delete(bucket.id);
    this.#ids = this.#ids.filter((id) => this.#buckets.has(id));
  }

  clear(): void {
    this.#buckets.clear();
    this.#ids = [];
  }
}

function note(bucket: IndexedBucket, counts: Counts): void {
  counts.keys = bucket.keys.length;
  counts.live = bucket.live;
}
