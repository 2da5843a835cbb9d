import { assert, utf8Write } from '@millrace/core';
import { sizeOfUvarint, writeUvarint, writeVarint, writeVarlong } from './varint.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * Writes Kafka's primitive types into one growable buffer that is reused from message to message.
 *
 * What {@link view} returns belongs to the writer: it is overwritten after the next {@link clear}. Copy it, or hand over the
 * buffer with {@link take}, when it has to live longer.
 */
export class ProtocolWriter {
  buffer: Buffer;
  position = 0;

  constructor(capacity = 512) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  clear(): void {
    this.position = 0;
  }

  /** What was written so far, without a copy. */
  view(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  /** What was written so far; the writer forgets it and starts with a fresh buffer. */
  take(): Buffer {
    const written = this.view();
    this.buffer = Buffer.allocUnsafeSlow(512);
    this.position = 0;
    return written;
  }

  /** Makes room for `count` bytes and returns where they start. */
  reserve(count: number): number {
    const start = this.position;
    if (start + count > this.buffer.length) this.#grow(start + count);
    this.position = start + count;
    return start;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  int8(value: number): void {
    const at = this.reserve(1);
    this.buffer.writeInt8(value, at);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int16(value: number): void {
    const at = this.reserve(2);
    this.buffer.writeInt16BE(value, at);
  }

  uint16(value: number): void {
    const at = this.reserve(2);
    this.buffer.writeUInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeInt32BE(value, at);
  }

  /** Writes a safe integer as int64. */
  int64(value: number): void {
    assert(Number.isSafeInteger(value), `int64 field holds ${value}, which is not a safe integer`);
    const at = this.reserve(8);
    this.buffer.writeInt32BE(Math.floor(value / TWO_32), at);
    this.buffer.writeUInt32BE(value >>> 0, at + 4);
  }

  /** Writes a uuid in its usual text form of 36 characters. */
  uuid(value: string): void {
    const hex = value.replaceAll('-', '');
    assert(/^[0-9a-fA-F]{32}$/.test(hex), `"${value}" is not a uuid`);
    const at = this.reserve(16);
    this.buffer.write(hex, at, 16, 'hex');
  }

  uvarint(value: number): void {
    const at = this.reserve(5);
    this.position = writeUvarint(this.buffer, at, value);
  }

  varint(value: number): void {
    const at = this.reserve(5);
    this.position = writeVarint(this.buffer, at, value);
  }

  varlong(value: number): void {
    const at = this.reserve(10);
    this.position = writeVarlong(this.buffer, at, value);
  }

  /** Length prefix and UTF-8 bytes; `undefined` is null. */
  string(value: string | undefined, flexible: boolean): void {
    if (value == null) {
      this.stringLength(-1, flexible);
      return;
    }
    const length = Buffer.byteLength(value);
    this.stringLength(length, flexible);
    const at = this.reserve(length);
    utf8Write(this.buffer, value, at);
  }

  stringLength(length: number, flexible: boolean): void {
    if (flexible) this.uvarint(length + 1);
    else this.int16(length);
  }

  /** Length prefix and bytes; `undefined` is null. */
  bytes(value: Uint8Array | undefined, flexible: boolean): void {
    if (value == null) {
      this.arrayLength(-1, flexible);
      return;
    }
    this.arrayLength(value.length, flexible);
    this.raw(value);
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.buffer.set(value, at);
  }

  /** The prefix of arrays and bytes: int32, or an unsigned varint of length + 1 when flexible; −1 is null. */
  arrayLength(length: number, flexible: boolean): void {
    if (flexible) this.uvarint(length + 1);
    else this.int32(length);
  }

  /** Puts an unsigned varint with the number of bytes written since `start` in front of them. */
  insertUvarintSize(start: number): void {
    const size = this.position - start;
    const prefix = sizeOfUvarint(size);
    this.reserve(prefix);
    this.buffer.copyWithin(start + prefix, start, start + size);
    writeUvarint(this.buffer, start, size);
  }

  /** Overwrites four bytes written earlier with {@link reserve}, for sizes that are known only afterwards. */
  patchInt32(at: number, value: number): void {
    assert(at >= 0 && at + 4 <= this.position, `patch at ${at} lies outside of the ${this.position} bytes written`);
    this.buffer.writeInt32BE(value, at);
  }
}
