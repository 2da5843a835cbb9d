import { CorruptDataError, utf8Slice } from '@millrace/core';
import { unzigzag64 } from './varint.ts';

const TWO_32 = 0x1_0000_0000;
const EMPTY = Buffer.alloc(0);

/** The all-zero uuid, which Kafka uses for "no topic id". */
export const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * Reads Kafka's primitive types front to back from `buffer[position, end)`.
 *
 * Every read is checked against `end`; bytes that are not what the format allows throw {@link CorruptDataError}. A length or
 * count is compared with the bytes that remain before anything is allocated for it, so a hostile length costs nothing.
 *
 * 64-bit numbers become JS numbers: exact up to ±2^53, which covers every offset, timestamp and producer id there is.
 * `bytes()` returns views: they keep the whole buffer alive.
 */
export class ProtocolReader {
  buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer = EMPTY, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  /** Points the reader at other bytes. */
  reset(buffer: Buffer, position = 0, end = buffer.length): void {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Moves past `count` bytes and returns the position before them. */
  skip(count: number): number {
    const start = this.position;
    if (count > this.end - start || count < 0) this.#truncated(count);
    this.position = start + count;
    return start;
  }

  int8(): number {
    const at = this.skip(1);
    return ((this.buffer[at] as number) << 24) >> 24;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.skip(2));
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.skip(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.skip(4));
  }

  int64(): number {
    const at = this.skip(8);
    return this.buffer.readInt32BE(at) * TWO_32 + this.buffer.readUInt32BE(at + 4);
  }

  uuid(): string {
    const at = this.skip(16);
    const hex = this.buffer.toString('hex', at, at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** An unsigned varint of at most 32 bits. */
  uvarint(): number {
    const at = this.position;
    if (at >= this.end) this.#truncated(1);
    const first = this.buffer[at] as number;
    this.position = at + 1;
    return first < 0x80 ? first : this.#longerUvarint(first & 0x7f);
  }

  /** A zigzag varint of a signed 32-bit number. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag varlong. */
  varlong(): number {
    const at = this.position;
    if (at >= this.end) this.#truncated(1);
    const first = this.buffer[at] as number;
    if (first >= 0x80) return this.#longerVarlong();
    this.position = at + 1;
    return (first >>> 1) ^ -(first & 1);
  }

  /** A string of `length` UTF-8 bytes. */
  utf8(length: number): string {
    const start = this.skip(length);
    return utf8Slice(this.buffer, start, start + length);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Buffer {
    const start = this.skip(length);
    return this.buffer.subarray(start, start + length);
  }

  /** A length that the format writes as int16 (strings) or, when flexible, as an unsigned varint of length + 1; −1 is null. */
  stringLength(flexible: boolean): number {
    return this.#checkedLength(flexible ? this.uvarint() - 1 : this.int16(), 1);
  }

  /** A length that the format writes as int32 (bytes, arrays) or, when flexible, as an unsigned varint of length + 1; −1 is null. */
  bytesLength(flexible: boolean): number {
    return this.#checkedLength(flexible ? this.uvarint() - 1 : this.int32(), 1);
  }

  /**
   * The element count of an array; −1 is null.
   *
   * @param elementBytesMin the fewest bytes one element can take: the count may not need more than what remains
   */
  arrayLength(flexible: boolean, elementBytesMin = 1): number {
    return this.#checkedLength(flexible ? this.uvarint() - 1 : this.int32(), elementBytesMin);
  }

  #checkedLength(length: number, elementBytes: number): number {
    if (length < -1 || length * elementBytes > this.end - this.position) {
      throw new CorruptDataError(
        'CORRUPT_LENGTH',
        `length ${length} at byte ${this.position} does not fit into the ${this.remaining} bytes that remain`,
      );
    }
    return length;
  }

  #longerUvarint(lowBits: number): number {
    let value = lowBits;
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.buffer[this.skip(1)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new CorruptDataError('CORRUPT_VARINT', `varint that ends at byte ${this.position} is longer than 32 bits`);
  }

  #longerVarlong(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift <= 63; shift += 7) {
      const byte = this.buffer[this.skip(1)] as number;
      if (shift === 63 && byte > 1) break;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) return unzigzag64(low >>> 0, high >>> 0);
    }
    throw new CorruptDataError('CORRUPT_VARINT', `varlong that ends at byte ${this.position} is longer than 64 bits`);
  }

  #truncated(wanted: number): never {
    throw new CorruptDataError(
      'TRUNCATED',
      `${wanted} bytes wanted at byte ${this.position}, but only ${this.remaining} remain: the data is cut off or not what it claims to be`,
    );
  }
}
