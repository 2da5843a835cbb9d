import type { Level } from './level-store.ts';
import type { Turns } from './turns.ts';

/** A range of stored keys, end exclusive. */
export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export interface CompactionOptions {
  /** How much a cleared range takes on disk before it is compacted. */
  readonly compactFromBytes: number;
  /** Shared by all databases whose compactions must not run at once. */
  readonly compactions: Turns;
}

/** Ranges that do not follow one another; owners clear along a handful of them. */
const RANGES_MAX = 64;

/**
 * Gives the disk space of cleared ranges back.
 *
 * Why: LevelDB drops deleted rows when it merges the files that hold them, and chooses files by the size of their level. Rows
 * that are written in the order of time and deleted from the other end are rarely chosen: they would stay for many times as
 * long as they were alive. So, when enough has been cleared, its range is compacted.
 *
 * Compactions run in the background; an error in one leaves the space taken, and shows in the next write.
 */
export class DeadRanges {
  readonly #level: Level;
  readonly #options: CompactionOptions;
  readonly #ranges: KeyRange[] = [];
  #compacting: Promise<void> | undefined;

  constructor(level: Level, options: CompactionOptions) {
    this.#level = level;
    this.#options = options;
  }

  /** A range has been cleared; nothing is going to be written there. */
  async add(range: KeyRange): Promise<void> {
    const joined = this.#join(range);
    if (this.#compacting !== undefined) return;
    const bytes = await this.#level.approximateSize(joined.gte, joined.lt);
    if (bytes < this.#options.compactFromBytes) return;
    this.#ranges.splice(this.#ranges.indexOf(joined), 1, { gte: joined.lt, lt: joined.lt });
    this.#compacting = this.#compact(joined);
  }

  /** Takes in the range that ends where this one starts: buckets of rows are cleared one after the other. */
  #join(range: KeyRange): KeyRange {
    const before = this.#ranges.findIndex(({ lt }) => lt.equals(range.gte));
    if (before < 0) {
      if (this.#ranges.length === RANGES_MAX) this.#ranges.shift();
      this.#ranges.push(range);
      return range;
    }
    const joined = { gte: (this.#ranges[before] as KeyRange).gte, lt: range.lt };
    this.#ranges[before] = joined;
    return joined;
  }

  async #compact({ gte, lt }: KeyRange): Promise<void> {
    try {
      await this.#options.compactions.take(() => this.#level.compactRange(gte, lt));
    } catch {
      // Only space is at stake. LevelDB keeps a background error, and every later write fails with it.
    } finally {
      this.#compacting = undefined;
    }
  }

  /** Resolves when no compaction is running: only then may LevelDB be closed. */
  async settled(): Promise<void> {
    await this.#compacting;
  }
}
