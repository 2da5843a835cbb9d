import { CorruptDataError } from '@millrace/core';

/** Strings in user data are names, ids and sentences; nothing legitimate is longer. */
export const MAX_STRING_BYTES = 4096;
/** Larger blocks of bytes are not worth their place in the record that keeps the whole group. */
export const MAX_BLOCK_BYTES = 65_536;

/** Writes the few types that user data consists of. */
export class UserDataWriter {
  readonly #parts: Buffer[] = [];

  int32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  int64(value: number): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigInt64BE(BigInt(value));
    this.#parts.push(part);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    this.int32(bytes.length);
    this.#parts.push(bytes);
    return this;
  }

  block(value: Buffer): this {
    this.int32(value.length);
    this.#parts.push(value);
    return this;
  }

  boolean(value: boolean): this {
    return this.int32(value ? 1 : 0);
  }

  list<T>(values: readonly T[], write: (value: T) => void): this {
    this.int32(values.length);
    for (const value of values) write(value);
    return this;
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Reads user data that another process wrote: every length is checked against what is left. */
export class UserDataReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  /** True when bytes are left: a later program may have written more than an earlier one. */
  get hasMore(): boolean {
    return this.#offset < this.#bytes.length;
  }

  string(): string {
    const length = this.int32();
    if (length < 0 || length > MAX_STRING_BYTES) throw malformed(`a text of ${length} bytes`);
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  block(): Buffer {
    const length = this.int32();
    if (length < 0 || length > MAX_BLOCK_BYTES) throw malformed(`a block of ${length} bytes`);
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  boolean(): boolean {
    return this.int32() === 1;
  }

  list<T>(read: () => T): T[] {
    const count = this.int32();
    // Each element takes at least four bytes, so a larger count is a lie and must not reserve memory.
    if (count < 0 || count > (this.#bytes.length - this.#offset) / 4) throw malformed(`a list of ${count} elements`);
    return Array.from({ length: count }, read);
  }

  #take(count: number): number {
    const start = this.#offset;
    if (start + count > this.#bytes.length) throw malformed('an early end');
    this.#offset = start + count;
    return start;
  }
}

/** @returns the error for user data that is not what a member of this group writes */
export function malformed(what: string): CorruptDataError {
  return new CorruptDataError(
    'INVALID_USER_DATA',
    `the group's user data has ${what}; is a program other than Millrace a member of this group? Give the application an id of its own`,
  );
}
