import { type ByteBuffer, readInt64 } from '@millrace/core';
import type { StateDatabase } from '../contracts/engine.ts';
import type { WriteBatch } from '../write-batch.ts';
import { asBuffer } from './byte-views.ts';
import { type KeySpace, META_TAG } from './key-space.ts';

/**
 * The row in which a store keeps the few numbers it must find again: observed time, counters.
 *
 * Layout: `[store id][0]` → the numbers, each an int64.
 */
export class MetaRow {
  readonly #space: KeySpace;
  #batch: WriteBatch | undefined;
  #batchGeneration = -1;
  #valueStart = 0;

  constructor(space: KeySpace) {
    this.#space = space;
  }

  /** Fills `into` with the stored numbers; leaves it as it is when there are none. */
  load(database: StateDatabase, into: number[]): void {
    const found = database.get(this.#space.bound(META_TAG));
    if (found === undefined) return;
    const bytes = asBuffer(found);
    for (let i = 0; i < into.length && (i + 1) * 8 <= bytes.length; i++) into[i] = readInt64(bytes, i * 8);
  }

  /**
   * Puts the numbers into the batch. In a batch that has them already they are written over, so that a restore of a million
   * records adds one operation and not a million.
   */
  save(batch: WriteBatch, numbers: readonly number[]): void {
    if (this.#batch === batch && this.#batchGeneration === batch.generation) {
      this.#overwrite(batch.scratch, numbers);
      return;
    }
    batch.begin();
    this.#space.writePrefix(batch.scratch, META_TAG);
    batch.endKey();
    this.#batch = batch;
    this.#batchGeneration = batch.generation;
    this.#valueStart = batch.scratch.length;
    for (const number of numbers) batch.scratch.writeInt64(number);
    batch.put();
  }

  #overwrite(scratch: ByteBuffer, numbers: readonly number[]): void {
    const end = scratch.length;
    scratch.length = this.#valueStart;
    for (const number of numbers) scratch.writeInt64(number);
    scratch.length = end;
  }
}
