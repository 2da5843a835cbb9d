const EMPTY = Buffer.alloc(0);
const INITIAL = 16;

/** The result of a fetch: timestamps, and where the values stand. Kept and filled again, so that a match makes no object. */
export class JoinMatches {
  count = 0;
  #timestamps = new Float64Array(INITIAL);
  #starts = new Int32Array(INITIAL);
  #ends = new Int32Array(INITIAL);
  readonly #sources: Buffer[] = Array.from({ length: INITIAL }, () => EMPTY);

  timestamp(index: number): number {
    return this.#timestamps[index] as number;
  }

  /** The value is `source(i)[start(i), end(i))`. */
  source(index: number): Buffer {
    return this.#sources[index] as Buffer;
  }

  start(index: number): number {
    return this.#starts[index] as number;
  }

  end(index: number): number {
    return this.#ends[index] as number;
  }

  add(timestamp: number, source: Buffer, start: number, end: number): void {
    const index = this.count++;
    if (index === this.#starts.length) this.#grow();
    this.#timestamps[index] = timestamp;
    this.#sources[index] = source;
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  #grow(): void {
    const capacity = this.#starts.length * 2;
    this.#timestamps = resized(this.#timestamps, new Float64Array(capacity));
    this.#starts = resized(this.#starts, new Int32Array(capacity));
    this.#ends = resized(this.#ends, new Int32Array(capacity));
  }

  /** The matches from this index on were added latest arrival first: puts them in order of time, then arrival. */
  order(from: number): void {
    let isDescending = true;
    for (let i = from + 1; i < this.count; i++) if (this.timestamp(i) > this.timestamp(i - 1)) isDescending = false;
    for (let low = from, high = this.count - 1; low < high; low++, high--) this.#swap(low, high);
    if (!isDescending) this.#sort(from);
  }

  #swap(a: number, b: number): void {
    const [timestamp, source, start, end] = [this.timestamp(a), this.source(a), this.start(a), this.end(a)];
    this.#set(a, this.timestamp(b), this.source(b), this.start(b), this.end(b));
    this.#set(b, timestamp, source, start, end);
  }

  #set(index: number, timestamp: number, source: Buffer, start: number, end: number): void {
    this.#timestamps[index] = timestamp;
    this.#sources[index] = source;
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  /** Only after records came out of order, which is rare. */
  #sort(from: number): void {
    const rows = Array.from({ length: this.count - from }, (_, i) => ({
      timestamp: this.timestamp(from + i),
      source: this.source(from + i),
      start: this.start(from + i),
      end: this.end(from + i),
    }));
    rows.sort((a, b) => a.timestamp - b.timestamp);
    for (const [i, row] of rows.entries()) this.#set(from + i, row.timestamp, row.source, row.start, row.end);
  }
}

function resized<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
