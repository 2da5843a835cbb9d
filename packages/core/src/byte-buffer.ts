import { utf8Write } from './native-buffer.ts';

/** Up to here a loop in JavaScript is faster than the call into native code. */
const LOOP_MAX = 32;

/**
 * A growable buffer that is written front to back and reused: the scratch space in which keys and values are serialised
 * before they are copied to where they belong.
 *
 * `bytes` may be replaced when the buffer grows: read it again after every write.
 */
export class ByteBuffer {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
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
    const { bytes, length } = this;
    if (count > LOOP_MAX) source.copy(bytes, length, start, end);
    else for (let i = 0; i < count; i++) bytes[length + i] = source[start + i] as number;
    this.length += count;
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

  clear(): void {
    this.length = 0;
  }
}

/** Reads a signed 64-bit big-endian number as a double; exact up to ±2^53. */
export function readInt64(bytes: Buffer, offset: number): number {
  return bytes.readInt32BE(offset) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 4);
}
