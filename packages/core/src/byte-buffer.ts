import { utf8Write } from './native-buffer.ts';

/** Up to here a loop in JavaScript is faster than the call into native code. */
const LOOP_MAX = 32;
/** Likewise for copies, which go word by word. */
const COPY_MAX = 96;
const WORD_BYTES = 4;
const NOTHING = Buffer.alloc(0);
const NO_WORDS = wordsOf(NOTHING);

/**
 * A growable buffer that is written front to back and reused: the scratch space in which keys and values are serialised
 * before they are copied to where they belong.
 *
 * `bytes` may be replaced when the buffer grows: read it again after every write.
 */
export class ByteBuffer {
  bytes: Buffer;
  length = 0;
  #words: DataView;
  /** What was copied from last, mostly the same buffer again and again, and its words. */
  #source: Buffer = NOTHING;
  #sourceWords = NO_WORDS;

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.#words = wordsOf(this.bytes);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count);
  }

  /** Gives back what an empty buffer has room for beyond so many bytes. */
  shrinkTo(capacity: number): void {
    if (this.length > 0 || capacity >= this.bytes.length) return;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.#words = wordsOf(this.bytes);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    this.#words = wordsOf(larger);
  }

  writeUtf8(text: string): void {
    this.reserve(text.length * 3);
    if (text.length <= LOOP_MAX && this.#writeAscii(text)) return;
    this.length += utf8Write(this.bytes, text, this.length);
  }

  /** Returns false, with `length` as it was, when the text is not ASCII only. */
  #writeAscii(text: string): boolean {
    const { bytes, length } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[length + i] = code;
    }
    this.length = length + text.length;
    return true;
  }

  writeBytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Copies `source[start, end)`. */
  writeRange(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count > COPY_MAX) source.copy(this.bytes, this.length, start, end);
    else this.#copyWords(source, start, end);
    this.length += count;
  }

  #copyWords(source: Buffer, start: number, end: number): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceWords = wordsOf(source);
    }
    const from = this.#sourceWords;
    const to = this.#words;
    let at = this.length;
    let i = start;
    for (; i + WORD_BYTES <= end; i += WORD_BYTES, at += WORD_BYTES) to.setInt32(at, from.getInt32(i));
    for (; i < end; i++) to.setInt8(at++, from.getInt8(i));
  }

  writeUint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  writeInt32(value: number): void {
    this.reserve(4);
    this.bytes.writeInt32BE(value, this.length);
    this.length += 4;
  }

  /** Writes a safe integer as a signed 64-bit big-endian number, without a BigInt. */
  writeInt64(value: number): void {
    this.reserve(8);
    this.bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.length);
    this.bytes.writeUInt32BE(value >>> 0, this.length + 4);
    this.length += 8;
  }

  /** A view of what was written; valid until the next write. */
  view(start = 0, end = this.length): Buffer {
    return this.bytes.subarray(start, end);
  }

  /** Starts over, and lets go of what was copied from: it may be a whole response of a broker. */
  clear(): void {
    this.length = 0;
    if (this.#source === NOTHING) return;
    this.#source = NOTHING;
    this.#sourceWords = NO_WORDS;
  }
}

/** Reads a signed 64-bit big-endian number as a double; exact up to ±2^53. */
export function readInt64(bytes: Buffer, offset: number): number {
  return bytes.readInt32BE(offset) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 4);
}

function wordsOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
