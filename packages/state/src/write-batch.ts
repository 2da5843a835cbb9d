import { ByteBuffer } from '@millrace/core';

/** Receives the operations of a batch in the order in which they were added. Offsets refer to `bytes`. */
export interface WriteBatchVisitor {
  put(bytes: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void;
  delete(bytes: Buffer, keyStart: number, keyEnd: number): void;
  /** Deletes every key in [start, end). */
  deleteRange(bytes: Buffer, startStart: number, startEnd: number, endStart: number, endEnd: number): void;
}

const PUT = 0;
const DELETE = 1;
const DELETE_RANGE = 2;
/** Numbers per operation in `#operations`: kind and four offsets. */
const WIDTH = 5;
/** Numbers for which memory is kept from one batch to the next. */
const KEPT_MAX = 1024 * WIDTH;
/** Bytes that every batch has room for. */
const SCRATCH_BYTES = 64 * 1024;
/** After so many batches it is looked how large they were. */
const BATCHES_PER_LOOK = 64;
/** Room for so many times the largest of them is kept. */
const ROOM = 4;

/**
 * The operations of one atomic write, kept as offsets into one buffer, so that a batch of a million keys is two arrays and
 * not a million objects.
 *
 * Write the key to `scratch`, mark it with `endKey`, write the value, finish with `put`; or use the one-call forms.
 */
export class WriteBatch {
  /** Where keys and values are serialised to. */
  readonly scratch = new ByteBuffer(SCRATCH_BYTES);
  #operations: number[] = [];
  /** Numbers in use. */
  #length = 0;
  #start = 0;
  #keyEnd = 0;
  #generation = 0;
  #rangeDeletes = 0;
  /** Of the batches since the last look. */
  #largestBytes = 0;
  #batches = 0;

  /** Changes with each `clear`: what was added under another generation is no longer in the batch. */
  get generation(): number {
    return this.#generation;
  }

  /** How many of the operations delete ranges. */
  get rangeDeletes(): number {
    return this.#rangeDeletes;
  }

  get size(): number {
    return this.#length / WIDTH;
  }

  get byteLength(): number {
    return this.scratch.length;
  }

  /** Starts an operation: what is written to `scratch` from now on is its key. */
  begin(): void {
    this.#start = this.scratch.length;
  }

  /** The key is complete; what follows is the value (or the end of the range). */
  endKey(): void {
    this.#keyEnd = this.scratch.length;
  }

  /** The value is complete: adds the put. */
  put(): void {
    this.#add(PUT, this.#start, this.#keyEnd, this.#keyEnd, this.scratch.length);
  }

  #add(kind: number, a: number, b: number, c: number, d: number): void {
    const operations = this.#operations;
    const at = this.#length;
    operations[at] = kind;
    operations[at + 1] = a;
    operations[at + 2] = b;
    operations[at + 3] = c;
    operations[at + 4] = d;
    this.#length = at + WIDTH;
  }

  /** Adds a delete of the key written since `begin`. */
  delete(): void {
    this.#add(DELETE, this.#start, this.scratch.length, 0, 0);
  }

  /** Adds a delete of the range [key, value written after `endKey`). */
  deleteRange(): void {
    this.#rangeDeletes++;
    this.#add(DELETE_RANGE, this.#start, this.#keyEnd, this.#keyEnd, this.scratch.length);
  }

  putBytes(key: Uint8Array, value: Uint8Array): void {
    this.begin();
    this.scratch.writeBytes(key);
    this.endKey();
    this.scratch.writeBytes(value);
    this.put();
  }

  deleteBytes(key: Uint8Array): void {
    this.begin();
    this.scratch.writeBytes(key);
    this.delete();
  }

  visit(visitor: WriteBatchVisitor): void {
    const operations = this.#operations;
    const bytes = this.scratch.bytes;
    for (let i = 0; i < this.#length; i += WIDTH) {
      const kind = operations[i] as number;
      const a = operations[i + 1] as number;
      const b = operations[i + 2] as number;
      const c = operations[i + 3] as number;
      const d = operations[i + 4] as number;
      if (kind === PUT) visitor.put(bytes, a, b, c, d);
      else if (kind === DELETE) visitor.delete(bytes, a, b);
      else visitor.deleteRange(bytes, a, b, c, d);
    }
  }

  clear(): void {
    // A small array is used again: small batches come with every commit of a test driver, large ones once in a while.
    if (this.#length > KEPT_MAX) this.#operations = [];
    this.#length = 0;
    this.#generation++;
    this.#rangeDeletes = 0;
    this.#largestBytes = Math.max(this.#largestBytes, this.scratch.length);
    this.scratch.clear();
    if (++this.#batches >= BATCHES_PER_LOOK) this.#giveBack();
  }

  /**
   * A restore, or the first commit after an outage, is far larger than the commits that follow, and what it took would stay with each
   * task for as long as that lives. To make room anew for each batch would cost more than to keep it.
   */
  #giveBack(): void {
    this.scratch.shrinkTo(Math.max(SCRATCH_BYTES, ROOM * this.#largestBytes));
    this.#largestBytes = 0;
    this.#batches = 0;
  }
}
