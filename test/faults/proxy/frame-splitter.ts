const SIZE_BYTES = 4;

/** Cuts a stream of bytes into the protocol's frames: int32 size, then so many bytes. */
export class FrameSplitter {
  #received: Buffer = Buffer.alloc(0);

  /** @returns the frames that are complete now, each with its size in front */
  push(chunk: Buffer): Buffer[] {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const frames: Buffer[] = [];
    while (this.#received.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + this.#received.readInt32BE(0);
      if (this.#received.length < end) break;
      frames.push(this.#received.subarray(0, end));
      this.#received = this.#received.subarray(end);
    }
    return frames;
  }
}
