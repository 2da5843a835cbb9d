const SIZE_BYTES = 4;

/**
 * Cuts what arrives on a connection into requests: int32 size, then so many bytes.
 *
 * Nothing is allocated for a size before its bytes are there, so a hostile size costs nothing.
 */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #onFrame: (frame: Buffer) => void;
  #chunks: Buffer[] = [];
  #buffered = 0;

  constructor(bytesMax: number, onFrame: (frame: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** @returns false when what arrived can not be a request: the connection is of no more use */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= SIZE_BYTES) {
      const size = this.#joined(SIZE_BYTES).readInt32BE(0);
      if (size < 0 || size > this.#bytesMax) return false;
      if (this.#buffered < SIZE_BYTES + size) return true;
      const bytes = this.#joined(SIZE_BYTES + size);
      this.#consume(SIZE_BYTES + size);
      this.#onFrame(bytes.subarray(SIZE_BYTES, SIZE_BYTES + size));
    }
    return true;
  }

  /** The first chunk, made at least so long. */
  #joined(length: number): Buffer {
    const first = this.#chunks[0] as Buffer;
    if (first.length >= length) return first;
    const joined = Buffer.concat(this.#chunks, this.#buffered);
    this.#chunks = [joined];
    return joined;
  }

  #consume(length: number): void {
    const first = this.#chunks[0] as Buffer;
    this.#buffered -= length;
    if (first.length === length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(length);
  }
}
