import { ByteBuffer, latin1Slice, type Serde, writeWith } from '@millrace/core';

/**
 * The key that is being looked for, as bytes with their hash. One per store, set anew for each look-up, so that looking for a
 * key makes no object.
 */
export class KeyProbe {
  readonly #scratch = new ByteBuffer(64);
  hash = 0;

  /** The key is `bytes[0, length)`; valid until the next `set`. */
  get bytes(): Buffer {
    return this.#scratch.bytes;
  }

  get length(): number {
    return this.#scratch.length;
  }

  /** The bytes as latin-1 text: the identity of the key in an overlay of raw keys. */
  get text(): string {
    return this.textFrom(0);
  }

  /** The bytes from this one on as latin-1 text. */
  textFrom(start: number): string {
    return latin1Slice(this.#scratch.bytes, start, this.#scratch.length);
  }

  /** @param prefix a byte that stands before the key */
  set<K>(serde: Serde<K>, key: K, topic: string, prefix?: number): void {
    this.#scratch.clear();
    if (prefix !== undefined) this.#scratch.writeUint8(prefix);
    writeWith(serde, key, this.#scratch, topic);
    this.hash = hashOf(this.#scratch.bytes, 0, this.#scratch.length);
  }

  setBytes(source: Buffer, start: number, end: number): void {
    this.#scratch.clear();
    this.#scratch.writeRange(source, start, end);
    this.hash = hashOf(source, start, end);
  }
}

/** FNV-1a with a final mix, as a signed 32-bit number. */
export function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
