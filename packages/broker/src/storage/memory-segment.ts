import type { SegmentBytes } from '../log/segment-bytes.ts';

const FIRST_CHUNK_BYTES = 2 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;

interface Chunk {
  /** Position of its first byte in the segment. */
  readonly start: number;
  readonly buffer: Buffer;
  used: number;
}

/**
 * A segment in memory: chunks that double up to 1 MiB, so that ten thousand idle partitions cost next to nothing and a busy
 * one is never copied. A chunk is only appended to, so views of it stay valid.
 */
export class MemorySegment implements SegmentBytes {
  readonly #flushesAppends: boolean;
  readonly #forget: () => void;
  #chunks: Chunk[] = [];
  #size = 0;
  #flushedBytes = 0;

  constructor(flushesAppends: boolean, forget: () => void) {
    this.#flushesAppends = flushesAppends;
    this.#forget = forget;
  }

  get sizeInBytes(): number {
    return this.#size;
  }

  append(batches: Buffer): void {
    const chunk = this.#chunkFor(batches.length);
    batches.copy(chunk.buffer, chunk.used);
    chunk.used += batches.length;
    this.#size += batches.length;
    if (this.#flushesAppends) this.flush();
  }

  read(position: number, length: number): Buffer {
    const parts: Buffer[] = [];
    let missing = length;
    for (let index = this.#indexOf(position); missing > 0; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const from = Math.max(0, position - chunk.start);
      const to = Math.min(chunk.used, from + missing);
      parts.push(chunk.buffer.subarray(from, to));
      missing -= to - from;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  replace(content: Buffer): void {
    this.#chunks = content.length === 0 ? [] : [{ start: 0, buffer: content, used: content.length }];
    this.#size = content.length;
    this.flush();
  }

  truncate(length: number): void {
    this.replace(length === 0 ? Buffer.alloc(0) : Buffer.from(this.read(0, length)));
  }

  flush(): void {
    this.#flushedBytes = this.#size;
  }

  /** What a power failure does. */
  loseUnflushed(): void {
    if (this.#flushedBytes < this.#size) this.truncate(this.#flushedBytes);
  }

  close(): void {
    // Nothing is held besides the memory.
  }

  delete(): void {
    this.#chunks = [];
    this.#size = 0;
    this.#forget();
  }

  #chunkFor(length: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.buffer.length - last.used >= length) return last;
    const capacity = Math.max(length, Math.min(CHUNK_BYTES_MAX, Math.max(FIRST_CHUNK_BYTES, this.#size)));
    const chunk = { start: this.#size, buffer: Buffer.allocUnsafeSlow(capacity), used: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** The chunk that holds the position. */
  #indexOf(position: number): number {
    let [low, high] = [0, this.#chunks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle] as Chunk).start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
