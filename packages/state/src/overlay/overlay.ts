import { assert } from '@millrace/core';
import { Bucket, COMMITTING, DIRTY, type Entry } from './entry.ts';
import type { KeyIdentity } from './key-codec.ts';

/**
 * Makes the entry of a row that memory does not know; its `bytes` are set. Reads the database, unless the bucket is complete:
 * then the row does not exist.
 */
export type LoadEntry<E extends Entry> = (bucket: Bucket<E>, identity: KeyIdentity) => E;

/**
 * The rows of one store that are in memory: everything not yet committed, and as many clean rows as the budget allows.
 *
 * Why: uncommitted state must not touch the disk, and a row that is used again must cost one map look-up and nothing else.
 *
 * Clean rows are kept in two generations. A row that is used moves to the young one; when the young generation exceeds half
 * of the budget it becomes the old one, and what was old and unused is forgotten. So a hit costs no list surgery, absent
 * rows are remembered like present ones, and pinned (dirty, committing, held) entries stay until they are clean.
 *
 * Buckets that came up while the store was open, as those of new time windows do, are complete: all their rows are known. In
 * them an absent row costs neither a read nor an entry. A bucket is complete no longer once one of its entries is forgotten.
 *
 * A dirty entry stands once in the dirty list, which is what a commit takes. It may become dirty again while its commit
 * runs; then the next commit takes it again.
 *
 * Cost     hit: one look-up; miss: three and a database read; rotation: amortised O(1) per load.
 */
export class Overlay<E extends Entry> {
  /** The bucket of stores whose rows have no time. */
  readonly root = new Bucket<E>(0);
  readonly #load: LoadEntry<E>;
  readonly #cleanBytesMax: number;
  readonly #buckets = new Map<number, Bucket<E>>();
  #lastBucket: Bucket<E> | undefined;
  /** From this id on, buckets have nothing in the database that did not come from here. */
  #emptyFrom = Infinity;
  #highestBucket = -Infinity;
  /** Buckets from `#emptyFrom` on of which something has been forgotten. */
  readonly #incomplete = new Set<number>();
  // Starts at 1, so that the −1 of entries that no map knows is never the generation before.
  #generation = 1;
  #youngBytes = 0;
  #oldBytes = 0;
  #pinnedBytes = 0;
  #dirty: E[] = [];
  #committing: E[] = [];
  #commitRuns = false;

  constructor(cleanBytesMax: number, load: LoadEntry<E>) {
    this.#cleanBytesMax = cleanBytesMax;
    this.#load = load;
  }

  /** Roughly the memory of entries that must stay until the next commit. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Roughly the memory of entries that may go. */
  get cleanBytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  bucket(id: number): Bucket<E> {
    if (this.#lastBucket?.id === id) return this.#lastBucket;
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      bucket = new Bucket<E>(id, id >= this.#emptyFrom && !this.#incomplete.has(id));
      this.#buckets.set(id, bucket);
      if (id > this.#highestBucket) this.#highestBucket = id;
    }
    this.#lastBucket = bucket;
    return bucket;
  }

  /** The database has no rows in buckets from this id on. To be called before any of them is asked for. */
  trustEmptyFrom(id: number): void {
    assert(id > this.#highestBucket, 'a bucket in use is said to be empty');
    this.#emptyFrom = id;
    this.#incomplete.clear();
  }

  /** The entry of a row, loaded when memory does not know it. */
  find(bucket: Bucket<E>, identity: KeyIdentity): E {
    return bucket.young.get(identity) ?? this.#findElsewhere(bucket, identity);
  }

  /** The entry of a row; undefined when it is certain without a read that there is none. */
  peek(bucket: Bucket<E>, identity: KeyIdentity): E | undefined {
    const young = bucket.young.get(identity);
    if (young !== undefined) return young;
    return bucket.isComplete ? this.#known(bucket, identity) : this.#findElsewhere(bucket, identity);
  }

  #findElsewhere(bucket: Bucket<E>, identity: KeyIdentity): E {
    const known = this.#known(bucket, identity);
    if (known !== undefined) return known;
    const entry = this.#load(bucket, identity);
    this.#rejuvenate(entry);
    return entry;
  }

  #known(bucket: Bucket<E>, identity: KeyIdentity): E | undefined {
    const known = bucket.old.get(identity) ?? (bucket.strays.size === 0 ? undefined : bucket.strays.get(identity));
    if (known !== undefined) this.#rejuvenate(known);
    return known;
  }

  /** An entry of the bucket is only in the database from now on. */
  #forgot(bucket: Bucket<Entry>): void {
    if (!bucket.isComplete) return;
    bucket.isComplete = false;
    this.#incomplete.add(bucket.id);
  }

  /** Puts an entry into the young generation, wherever it has been. */
  #rejuvenate(entry: E): void {
    if (entry.pins === 0) {
      if (entry.generation === this.#generation - 1) this.#oldBytes -= entry.bytes;
      this.#youngBytes += entry.bytes;
    }
    entry.generation = this.#generation;
    (entry.bucket as Bucket<E>).young.set(entry.identity, entry);
    entry.bucket.strays.delete(entry.identity);
    if (this.#youngBytes > this.#cleanBytesMax / 2) this.#rotate();
  }

  /** The entry is about to change: it becomes part of the next commit. Call before the change. */
  markDirty(entry: E): void {
    if ((entry.pins & DIRTY) !== 0) return;
    this.pin(entry, DIRTY);
    this.#dirty.push(entry);
  }

  /** Keeps an entry in memory until the same pin is taken off. */
  pin(entry: E, pin: number): void {
    if (entry.pins === 0) {
      // Whoever holds a row over several finds may bring back one that has been forgotten meanwhile.
      if (entry.generation !== this.#generation) this.#rejuvenate(entry);
      this.#countClean(entry, -entry.bytes);
      this.#pinnedBytes += entry.bytes;
    }
    entry.pins |= pin;
  }

  unpin(entry: E, pin: number): void {
    if ((entry.pins & pin) === 0) return;
    entry.pins &= ~pin;
    if (entry.pins !== 0) return;
    this.#pinnedBytes -= entry.bytes;
    if (entry.generation >= this.#generation - 1) this.#countClean(entry, entry.bytes);
    else {
      entry.bucket.strays.delete(entry.identity);
      this.#forgot(entry.bucket);
    }
  }

  /** The entry, which must be pinned, has grown or shrunk. */
  resize(entry: E, bytes: number): void {
    this.#pinnedBytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #countClean(entry: E, bytes: number): void {
    if (entry.generation === this.#generation) this.#youngBytes += bytes;
    else this.#oldBytes += bytes;
  }

  /** The dirty entries, in the order in which they became dirty; they are committing from now on. */
  startCommit(): readonly E[] {
    assert(!this.#commitRuns, 'a commit was prepared before the one before it has ended');
    this.#commitRuns = true;
    const entries = this.#dirty;
    this.#dirty = this.#committing;
    this.#committing = entries;
    for (const entry of entries) entry.pins = (entry.pins & ~DIRTY) | COMMITTING;
    return entries;
  }

  /** The running commit has succeeded: its entries are clean unless they have changed again. */
  endCommit(): void {
    this.#commitRuns = false;
    for (const entry of this.#committing) this.unpin(entry, COMMITTING);
    // For a single row, as with each commit of a test driver, cheaper than setting the length.
    if (this.#committing.length === 1) this.#committing.pop();
    else this.#committing.length = 0;
    if (this.#youngBytes > this.#cleanBytesMax / 2) this.#rotate();
    if (this.#oldBytes > this.#cleanBytesMax / 2) this.#trimOld();
  }

  /** Forgets everything. */
  clear(): void {
    // What was committed is in the database, and nobody knows any more which rows that are.
    this.#emptyFrom = Math.max(this.#emptyFrom, this.#highestBucket + 1);
    this.#incomplete.clear();
    this.root.clear();
    this.#buckets.clear();
    this.#lastBucket = undefined;
    this.#youngBytes = 0;
    this.#oldBytes = 0;
    this.#pinnedBytes = 0;
    this.#dirty = [];
    this.#committing = [];
    this.#commitRuns = false;
  }

  /** Forgets the buckets below an id. Entries that are still to be committed stay in the commit, but are not found again. */
  dropBucketsBelow(id: number): void {
    for (const bucket of this.#buckets.values()) if (bucket.id < id) this.#drop(bucket);
    if (id > this.#emptyFrom) this.#emptyFrom = id;
    for (const incomplete of this.#incomplete) if (incomplete < id) this.#incomplete.delete(incomplete);
  }

  /** Forgets one bucket, in the same way; none of its rows is left in the database. */
  dropBucket(id: number): void {
    const bucket = this.#buckets.get(id);
    if (bucket !== undefined) this.#drop(bucket);
  }

  #drop(bucket: Bucket<E>): void {
    this.#uncount(bucket.young, this.#generation);
    this.#uncount(bucket.old, this.#generation - 1);
    bucket.clear();
    // Entries that are unpinned later belong to no bucket of which anything is known.
    bucket.isComplete = false;
    this.#buckets.delete(bucket.id);
    if (this.#lastBucket === bucket) this.#lastBucket = undefined;
  }

  #uncount(entries: ReadonlyMap<KeyIdentity, E>, generation: number): void {
    for (const entry of entries.values()) {
      if (entry.generation !== generation) continue;
      if (entry.pins === 0) this.#countClean(entry, -entry.bytes);
      // Unpinning it later must not count it as clean: no map knows it any more.
      entry.generation = -1;
    }
  }

  /** Visits every entry that differs from the database, once. */
  forEachUncommitted(visit: (entry: E) => void): void {
    for (const entry of this.#dirty) visit(entry);
    for (const entry of this.#committing) if ((entry.pins & DIRTY) === 0) visit(entry);
  }

  /** Visits every entry that must stay in memory, once. Costs a walk over all entries. */
  forEachPinned(visit: (entry: E) => void): void {
    for (const bucket of [this.root, ...this.#buckets.values()]) {
      for (const entry of bucket.strays.values()) if (entry.pins !== 0) visit(entry);
      for (const entry of bucket.young.values()) if (entry.pins !== 0) visit(entry);
      for (const entry of bucket.old.values()) if (entry.pins !== 0 && entry.generation === this.#generation - 1) visit(entry);
    }
  }

  #rotate(): void {
    this.#rotateBucket(this.root);
    for (const bucket of this.#buckets.values()) {
      this.#rotateBucket(bucket);
      if (bucket.isEmpty && bucket !== this.#lastBucket) this.#buckets.delete(bucket.id);
    }
    this.#oldBytes = this.#youngBytes;
    this.#youngBytes = 0;
    this.#generation++;
  }

  #rotateBucket(bucket: Bucket<E>): void {
    for (const entry of bucket.old.values()) {
      if (entry.generation !== this.#generation - 1) continue;
      if (entry.pins !== 0) bucket.strays.set(entry.identity, entry);
      else this.#forgot(bucket);
    }
    bucket.old = bucket.young;
    bucket.young = new Map();
  }

  /** Forgets old clean entries, the first loaded first, until the rest fits. */
  #trimOld(): void {
    const before = this.#generation - 1;
    for (const bucket of [this.root, ...this.#buckets.values()]) {
      for (const [identity, entry] of bucket.old) {
        if (this.#oldBytes <= this.#cleanBytesMax / 2) return;
        if (entry.pins !== 0 || entry.generation !== before) continue;
        bucket.old.delete(identity);
        this.#oldBytes -= entry.bytes;
        this.#forgot(bucket);
      }
    }
  }
}
