import { Entry } from '../../overlay/entry.ts';
import type { HeldValue } from '../../overlay/value-codec.ts';

/** Shared by lists without records, which are remembered so that looking there again needs no read. */
const NONE: never[] = Object.freeze([]) as unknown as never[];

/** The records of one key in one time bucket, in arrival order: several rows (chunks) of the database. */
export class JoinList extends Entry {
  timestamps: number[] = NONE;
  values: HeldValue[] = NONE;
  /** Number of the chunk that the next record goes to; those before it are full and never change. */
  chunk = 0;
  /** The first record of that chunk. */
  chunkStart = 0;
  /** Records below this index are in the changelog. */
  logged = 0;
  /** The records by time, then arrival; `undefined` while arrival order is that order. */
  #order: number[] | undefined = undefined;
  #isOrdered = true;

  append(timestamp: number, value: HeldValue): void {
    const last = this.timestamps.length - 1;
    if (last >= 0 && timestamp < (this.timestamps[last] as number)) this.#isOrdered = false;
    this.#order = undefined;
    if (last < 0) {
      this.timestamps = [timestamp];
      this.values = [value];
      return;
    }
    this.timestamps.push(timestamp);
    this.values.push(value);
  }

  /** Index of the n-th record by time, then arrival. */
  at(n: number): number {
    if (this.#isOrdered) return n;
    this.#order ??= this.timestamps.map((_, index) => index).sort((a, b) => this.#compare(a, b));
    return this.#order[n] as number;
  }

  #compare(a: number, b: number): number {
    return (this.timestamps[a] as number) - (this.timestamps[b] as number) || a - b;
  }
}
