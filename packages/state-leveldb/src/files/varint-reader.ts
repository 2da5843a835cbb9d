/** Reads LevelDB's variable-length numbers. Throws RangeError beyond the end of the bytes. */
export class VarintReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is longer than any in a file of LevelDB');
  }

  /** Passes over bytes that are preceded by their length. */
  skipBytes(): void {
    const length = this.varint();
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('bytes reach beyond the end');
  }
}
