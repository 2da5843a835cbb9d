import type { KeyIdentity } from '../../overlay/key-codec.ts';
import { TimeHeap } from './time-heap.ts';

const ADDED = 0;
const REMOVED = 1;
const TAKEN = 2;

/** The rows of one time that were taken. */
export interface TakenRows {
  readonly time: number;
  readonly keys: ReadonlySet<KeyIdentity>;
}

/**
 * Which rows have not been emitted yet, by time: what lets a synchronous scan in the order of time find rows by point reads.
 *
 * It is in memory whole (a reference per row) and is rebuilt from the rows when the store is opened. What has changed since
 * the last commit is taken down, so that a rollback undoes it.
 */
export class UnemittedRows {
  readonly #byTime = new Map<number, Set<KeyIdentity>>();
  /** Every time in `#byTime`, and some that have gone. */
  readonly #times = new TimeHeap();
  #emittedUntil = -1;
  #emittedPrepared = -1;
  #emittedCommitted = -1;
  // The changes since the last commit, in three columns.
  #kinds: number[] = [];
  #changedTimes: number[] = [];
  /** A key, or the set of keys that was taken. */
  #changed: unknown[] = [];
  /** How many of the changes belong to the commit that is prepared. */
  #prepared = 0;

  /** The close time up to which everything has been emitted; −1 before the first emission. */
  get emittedUntil(): number {
    return this.#emittedUntil;
  }

  /** True when the close time has moved since the last commit. */
  get hasMoved(): boolean {
    return this.#emittedUntil !== this.#emittedCommitted;
  }

  /** The lowest time of a row; Infinity when there is none. */
  get firstTime(): number {
    while (this.#times.first !== Infinity && !this.#byTime.has(this.#times.first)) this.#times.removeFirst();
    return this.#times.first;
  }

  add(time: number, key: KeyIdentity): void {
    if (this.#insert(time, key)) this.#note(ADDED, time, key);
  }

  remove(time: number, key: KeyIdentity): void {
    if (this.#delete(time, key)) this.#note(REMOVED, time, key);
  }

  /** Takes out the rows of the lowest time, unless that is above `lastTime`. */
  take(lastTime: number): TakenRows | undefined {
    const time = this.firstTime;
    const keys = time <= lastTime ? this.#byTime.get(time) : undefined;
    if (keys === undefined) return undefined;
    this.#byTime.delete(time);
    this.#note(TAKEN, time, keys);
    return { time, keys };
  }

  /** Everything that closes by this time has been taken. */
  emitted(closeTime: number): void {
    this.#emittedUntil = closeTime;
  }

  #note(kind: number, time: number, item: unknown): void {
    this.#kinds.push(kind);
    this.#changedTimes.push(time);
    this.#changed.push(item);
  }

  #insert(time: number, key: KeyIdentity): boolean {
    let keys = this.#byTime.get(time);
    if (keys === undefined) {
      keys = new Set();
      this.#byTime.set(time, keys);
      this.#times.add(time);
    }
    const before = keys.size;
    keys.add(key);
    return keys.size > before;
  }

  #delete(time: number, key: KeyIdentity): boolean {
    const keys = this.#byTime.get(time);
    if (keys?.delete(key) !== true) return false;
    if (keys.size === 0) this.#byTime.delete(time);
    return true;
  }

  /** Takes over a row of the database. */
  load(time: number, key: KeyIdentity): void {
    this.#insert(time, key);
  }

  /** The rows up to a time were emitted, and that was committed, by another owner of the same rows. */
  resume(closeTime: number, lastTime: number): void {
    while (this.firstTime <= lastTime) this.#byTime.delete(this.firstTime);
    this.#emittedUntil = closeTime;
    this.#emittedPrepared = closeTime;
  }

  /** Forgets everything; `emittedUntil` is what the last commit has left. */
  reset(emittedUntil: number): void {
    this.#byTime.clear();
    this.#times.clear();
    this.#forgetChanges(this.#kinds.length);
    this.#prepared = 0;
    this.#emittedUntil = emittedUntil;
    this.#emittedPrepared = emittedUntil;
    this.#emittedCommitted = emittedUntil;
  }

  prepareCommit(): void {
    this.#prepared = this.#kinds.length;
    this.#emittedPrepared = this.#emittedUntil;
  }

  committed(): void {
    this.#forgetChanges(this.#prepared);
    this.#prepared = 0;
    this.#emittedCommitted = this.#emittedPrepared;
  }

  #forgetChanges(count: number): void {
    this.#kinds = this.#kinds.slice(count);
    this.#changedTimes = this.#changedTimes.slice(count);
    this.#changed = this.#changed.slice(count);
  }

  rollback(): void {
    for (let i = this.#kinds.length - 1; i >= 0; i--) this.#undo(i);
    this.#forgetChanges(this.#kinds.length);
    this.#prepared = 0;
    this.#emittedUntil = this.#emittedCommitted;
    this.#emittedPrepared = this.#emittedCommitted;
  }

  #undo(i: number): void {
    const time = this.#changedTimes[i] as number;
    const item = this.#changed[i];
    if (this.#kinds[i] === ADDED) this.#delete(time, item);
    else if (this.#kinds[i] === REMOVED) this.#insert(time, item);
    else for (const key of item as ReadonlySet<KeyIdentity>) this.#insert(time, key);
  }
}
