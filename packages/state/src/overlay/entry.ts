import type { KeyIdentity } from './key-codec.ts';

/** The entry differs from the database and is not part of the running commit. */
export const DIRTY = 1;
/** The entry is part of a commit whose batch is not in the database yet. */
export const COMMITTING = 2;
/** The entry has an update that has not been reported to the flush listener. */
export const HELD = 4;

/** Bytes that an entry with its place in a map costs besides key and value. */
export const ENTRY_BYTES = 160;

/**
 * One row of an overlay: subclasses add what the row holds. It lives as long as the overlay knows the row, so that whoever
 * found it reads and writes it without another look-up.
 */
export class Entry {
  readonly bucket: Bucket<Entry>;
  readonly identity: KeyIdentity;
  /** Which of `DIRTY`, `COMMITTING`, `HELD` hold; an entry with any of them must not be evicted. */
  pins = 0;
  /** The overlay's generation in which the entry was used last. */
  generation = -1;
  /** Roughly the memory that the entry occupies; changed through the overlay only. */
  bytes = ENTRY_BYTES;

  constructor(bucket: Bucket<Entry>, identity: KeyIdentity) {
    this.bucket = bucket;
    this.identity = identity;
  }
}

/** The entries of one window start or time bucket, so that expiry drops them all at once. */
export class Bucket<E extends Entry> {
  readonly id: number;
  /** Entries used in the current generation. */
  young = new Map<KeyIdentity, E>();
  /** Entries used in the generation before, among them some that have moved on to `young`. */
  old = new Map<KeyIdentity, E>();
  /** Pinned entries that were not used for two generations. */
  readonly strays = new Map<KeyIdentity, E>();
  /** True when every row of the bucket is in memory: one that is not here is nowhere. */
  isComplete: boolean;

  constructor(id: number, isComplete = false) {
    this.id = id;
    this.isComplete = isComplete;
  }

  get isEmpty(): boolean {
    return this.young.size === 0 && this.old.size === 0 && this.strays.size === 0;
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
    this.strays.clear();
  }
}
