/** Rows per chunk; a full chunk splits in two. Larger means cheaper look-ups and dearer inserts. */
const CHUNK_ROWS_MAX = 256;

interface Chunk {
  readonly keys: string[];
  readonly values: Uint8Array[];
  /** The number of snapshots that had been taken when the chunk was made: an older chunk may be seen by one of them. */
  readonly era: number;
}

/** A frozen view of {@link SortedEntries}. */
export type Snapshot = readonly Chunk[];

/**
 * A sorted map from text to bytes, kept as an array of sorted chunks.
 *
 * Why: byte keys as latin-1 text compare like bytes, at the speed of strings; chunks keep inserts cheap; and a snapshot is
 * the array itself, because chunks that a snapshot can see are copied before they change.
 *
 * Cost     look-up O(log n); insert O(log n + chunk); snapshot O(1), then one copy per chunk that changes.
 */
export class SortedEntries {
  #chunks: Chunk[] = [];
  #era = 0;
  #chunksShared = false;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): Uint8Array | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: string, value: Uint8Array): void {
    if (this.#chunks.length === 0) this.#ownChunks().push({ keys: [], values: [], era: this.#era });
    const index = this.#chunkFor(key);
    const chunk = this.#ownChunk(index);
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] === key) {
      chunk.values[at] = value;
      return;
    }
    chunk.keys.splice(at, 0, key);
    chunk.values.splice(at, 0, value);
    this.#size++;
    if (chunk.keys.length > CHUNK_ROWS_MAX) this.#split(index, chunk);
  }

  delete(key: string): void {
    const index = this.#chunkFor(key);
    const found = this.#chunks[index];
    if (found === undefined) return;
    const at = lowerBound(found.keys, key);
    if (found.keys[at] === key) this.#cut(index, at, at + 1);
  }

  /** Deletes every key in [from, to). */
  deleteRange(from: string, to: string): void {
    let index = this.#chunkFor(from);
    while (index < this.#chunks.length) {
      const { keys } = this.#chunks[index] as Chunk;
      const start = lowerBound(keys, from);
      const end = lowerBound(keys, to);
      const reachesFurther = end === keys.length;
      const chunksBefore = this.#chunks.length;
      if (end > start) this.#cut(index, start, end);
      if (!reachesFurther) return;
      if (this.#chunks.length === chunksBefore) index++;
    }
  }

  /** The entries as they are now; later changes do not show in it. */
  snapshot(): Snapshot {
    this.#era++;
    this.#chunksShared = true;
    return this.#chunks;
  }

  /** Another map with the same entries: neither sees what changes in the other. Costs what a snapshot does. */
  copy(): SortedEntries {
    const copy = new SortedEntries();
    this.snapshot();
    copy.#chunks = this.#chunks;
    copy.#chunksShared = true;
    copy.#era = this.#era;
    copy.#size = this.#size;
    return copy;
  }

  /** Removes rows [start, end) of a chunk, and the chunk when nothing is left. */
  #cut(index: number, start: number, end: number): void {
    const chunk = this.#ownChunk(index);
    chunk.keys.splice(start, end - start);
    chunk.values.splice(start, end - start);
    this.#size -= end - start;
    if (chunk.keys.length === 0) this.#ownChunks().splice(index, 1);
  }

  #split(index: number, chunk: Chunk): void {
    // Appending in key order is the usual case (restore, time-ordered keys): then the full chunk stays nearly full.
    const appending = index === this.#chunks.length - 1;
    const half = appending ? CHUNK_ROWS_MAX - 16 : CHUNK_ROWS_MAX / 2;
    const right: Chunk = { keys: chunk.keys.splice(half), values: chunk.values.splice(half), era: this.#era };
    this.#ownChunks().splice(index + 1, 0, right);
  }

  /** The chunk that holds the key or would hold it: the last one that does not start behind it. */
  #chunkFor(key: string): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((chunks[middle] as Chunk).keys[0] as string) <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #ownChunks(): Chunk[] {
    if (this.#chunksShared) {
      this.#chunks = this.#chunks.slice();
      this.#chunksShared = false;
    }
    return this.#chunks;
  }

  #ownChunk(index: number): Chunk {
    const chunk = this.#chunks[index] as Chunk;
    if (chunk.era === this.#era) return chunk;
    const own: Chunk = { keys: chunk.keys.slice(), values: chunk.values.slice(), era: this.#era };
    this.#ownChunks()[index] = own;
    return own;
  }
}

/** Index of the first key that is not less than `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
