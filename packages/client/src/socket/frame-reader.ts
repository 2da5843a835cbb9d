import { CorruptDataError } from '@millrace/core';

/** Frames up to here get their memory at once; longer ones as their bytes arrive, so that a false length costs nothing. */
const trustedBytes = 4 * 1024 * 1024;

/**
 * Cuts a byte stream into Kafka's frames: an int32 length, then as many bytes.
 *
 * A frame that lies within one chunk is a view of it; otherwise its bytes are copied once into a buffer of its own. The
 * frame belongs to the receiver.
 *
 * @throws CorruptDataError from {@link push} for a length that is negative, too short for a correlation id, or over the limit;
 * the stream can not be read any further then
 */
export class FrameReader {
  readonly #frameBytesMax: number;
  readonly #onFrame: (frame: Buffer) => void;
  /** The length prefix, while it is incomplete. */
  #prefix = 0;
  #prefixBytes = 0;
  #frame: Buffer | undefined;
  #frameSize = 0;
  #filled = 0;

  constructor(frameBytesMax: number, onFrame: (frame: Buffer) => void) {
    this.#frameBytesMax = frameBytesMax;
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length) {
      if (this.#frame !== undefined) position = this.#fill(this.#frame, chunk, position);
      else if (this.#prefixBytes < 4) position = this.#readPrefix(chunk, position);
      else position = this.#beginFrame(chunk, position);
    }
  }

  #readPrefix(chunk: Buffer, start: number): number {
    let position = start;
    while (position < chunk.length && this.#prefixBytes < 4) {
      this.#prefix = (this.#prefix << 8) | (chunk[position++] as number);
      this.#prefixBytes++;
    }
    if (this.#prefixBytes === 4) {
      this.#frameSize = this.#checkedSize(this.#prefix);
      this.#prefix = 0;
    }
    return position;
  }

  #checkedSize(size: number): number {
    if (size >= 4 && size <= this.#frameBytesMax) return size;
    throw new CorruptDataError(
      'CORRUPT_LENGTH',
      `a response announces ${size} bytes, but 4 to ${this.#frameBytesMax} are allowed (a port that speaks another protocol, ` +
        'such as TLS, answers like this; raise "responseBytesMax" if such a response is expected)',
    );
  }

  #beginFrame(chunk: Buffer, position: number): number {
    const end = position + this.#frameSize;
    if (end <= chunk.length) {
      this.#prefixBytes = 0;
      this.#onFrame(chunk.subarray(position, end));
      return end;
    }
    this.#filled = 0;
    this.#frame = Buffer.allocUnsafeSlow(Math.min(this.#frameSize, trustedBytes));
    return position;
  }

  #fill(frame: Buffer, chunk: Buffer, start: number): number {
    const count = Math.min(this.#frameSize - this.#filled, chunk.length - start);
    const target = this.#withRoomFor(frame, count);
    chunk.copy(target, this.#filled, start, start + count);
    this.#filled += count;
    if (this.#filled === this.#frameSize) {
      this.#frame = undefined;
      this.#prefixBytes = 0;
      this.#onFrame(target);
    }
    return start + count;
  }

  #withRoomFor(frame: Buffer, count: number): Buffer {
    const needed = this.#filled + count;
    if (needed <= frame.length) return frame;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#frameSize, Math.max(needed, frame.length * 2)));
    frame.copy(larger, 0, 0, this.#filled);
    this.#frame = larger;
    return larger;
  }
}
