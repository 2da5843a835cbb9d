import { ByteBuffer } from '@millrace/core';
import { crc32c } from '@millrace/wire';

/** First byte of the engine's own keys; sorts before all others. */
export const ENGINE_ROW = 0;
/** First byte of the keys of the database's owner. */
export const OWNER_ROW = 1;

const CHECKSUM_BYTES = 4;

/**
 * How rows stand in LevelDB: `[1][key]` → `[value][CRC-32C of key and value]`.
 *
 * Why a checksum of our own: classic-level exposes neither LevelDB's `paranoid_checks` nor `verify_checksums`, so a flipped
 * bit in a table file reads as a silently wrong value. The key is part of it, so a value that comes up under another key is
 * found, too.
 *
 * Returned views are valid until the next call.
 */
export class RowCodec {
  readonly #row = new ByteBuffer(1024);
  readonly #check = new ByteBuffer(1024);
  #keyEnd = 0;

  /** Sets key and value of a row, given as ranges that follow one another. */
  setRow(bytes: Buffer, keyStart: number, keyEnd: number, valueEnd: number): void {
    this.setKey(bytes, keyStart, keyEnd);
    this.#row.writeRange(bytes, keyEnd, valueEnd);
    this.#row.writeInt32(crc32c(bytes, keyStart, valueEnd) | 0);
  }

  setKey(bytes: Buffer, keyStart: number, keyEnd: number): void {
    this.#row.clear();
    this.#row.writeUint8(OWNER_ROW);
    this.#row.writeRange(bytes, keyStart, keyEnd);
    this.#keyEnd = this.#row.length;
  }

  get key(): Buffer {
    return this.#row.view(0, this.#keyEnd);
  }

  get value(): Buffer {
    return this.#row.view(this.#keyEnd);
  }

  /** The stored form of a key of the owner. */
  ownerKey(key: Uint8Array): Buffer {
    this.#row.clear();
    this.#row.writeUint8(OWNER_ROW);
    this.#row.writeBytes(key);
    return this.#row.view();
  }

  /** The value inside stored bytes; `undefined` when they are damaged. `key` is the owner's. */
  valueIn(key: Uint8Array, stored: Uint8Array): Uint8Array | undefined {
    const length = stored.length - CHECKSUM_BYTES;
    if (length < 0) return undefined;
    const value = stored.subarray(0, length);
    this.#check.clear();
    this.#check.writeBytes(key);
    this.#check.writeBytes(value);
    const expected = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).readUInt32BE(length);
    return crc32c(this.#check.bytes, 0, this.#check.length) === expected ? value : undefined;
  }
}
