import { Entry } from '../../overlay/entry.ts';
import type { HeldValue } from '../../overlay/value-codec.ts';

/** The records of one key in one time bucket, in arrival order: several rows (chunks) of the database. */
export class JoinList extends Entry {
  readonly timestamps: number[] = [];
  readonly values: HeldValue[] = [];
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
