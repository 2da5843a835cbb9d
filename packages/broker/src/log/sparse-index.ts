interface IndexEntry {
  readonly lastOffset: number;
  readonly position: number;
}

/**
 * Some batches of a segment: one after every so many bytes.
 *
 * Why, although every batch is known: how many aborted transactions a reader is told of depends on it.
 *
 * Source: Kafka `OffsetIndex`, `LogSegment.append`; configuration `index.interval.bytes`.
 */
export class SparseIndex {
  #entries: IndexEntry[] = [];
  #bytesSinceEntry = 0;

  /** Takes note of the batch that comes next. */
  add(lastOffset: number, position: number, sizeInBytes: number, intervalBytes: number): void {
    if (this.#bytesSinceEntry > intervalBytes) {
      this.#entries.push({ lastOffset, position });
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += sizeInBytes;
  }

  /** Last offset of the first entry at the position or behind it, if there is one. */
  lastOffsetFrom(position: number): number | undefined {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as IndexEntry).position < position) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low]?.lastOffset;
  }

  clear(): void {
    this.#entries = [];
    this.#bytesSinceEntry = 0;
  }
}
