import { assert, type ByteBuffer } from '@millrace/core';

/** Bytes before the store's own part of a local key: store id and tag. */
export const PREFIX_BYTES = 3;

/** Which kind of row a local key belongs to; sorts the few special rows before the many. */
export const META_TAG = 0;
export const ROW_TAG = 1;
/** What helps to find rows. */
export const INDEX_TAG = 2;

/**
 * The keys of one store inside the database of its task: `[store id, 2 bytes][tag, 1 byte][…]`.
 */
export class KeySpace {
  readonly #storeId: number;

  constructor(storeId: number) {
    assert(Number.isInteger(storeId) && storeId >= 0 && storeId <= 0xffff, `store id ${storeId} is not a 16-bit number`);
    this.#storeId = storeId;
  }

  /** Starts a local key; the store's own part follows. */
  writePrefix(target: ByteBuffer, tag: number): void {
    target.reserve(PREFIX_BYTES);
    const { bytes, length } = target;
    bytes[length] = this.#storeId >>> 8;
    bytes[length + 1] = this.#storeId & 0xff;
    bytes[length + 2] = tag;
    target.length = length + PREFIX_BYTES;
  }

  /** The first key of a tag, or of the tag after it as the end of a range. */
  bound(tag: number): Buffer {
    return Buffer.from([this.#storeId >>> 8, this.#storeId & 0xff, tag]);
  }
}
