import type { WriteBatch } from '../write-batch.ts';
import { DIRTY, type Entry } from './entry.ts';
import type { Overlay } from './overlay.ts';

interface ChangedByBatch<E> {
  generation: number;
  readonly entries: E[];
}

/**
 * Keeps entries that a restore has changed in memory until the batch with the change is in the database, which is when its
 * owner clears the batch: until then, loading the entry again would bring back the row from before the change.
 */
export class RestorePins<E extends Entry> {
  readonly #overlay: Overlay<E>;
  readonly #batches = new Map<WriteBatch, ChangedByBatch<E>>();
  /** In how many places of `#batches` an entry stands. */
  readonly #counts = new Map<E, number>();

  constructor(overlay: Overlay<E>) {
    this.#overlay = overlay;
  }

  /** Call before looking for an entry: releases what has been written. */
  release(): void {
    for (const [batch, changed] of this.#batches) {
      if (changed.generation === batch.generation) continue;
      for (const entry of changed.entries) this.#release(entry);
      changed.entries.length = 0;
      changed.generation = batch.generation;
    }
  }

  #release(entry: E): void {
    const count = (this.#counts.get(entry) as number) - 1;
    if (count > 0) {
      this.#counts.set(entry, count);
      return;
    }
    this.#counts.delete(entry);
    this.#overlay.unpin(entry, DIRTY);
  }

  pin(entry: E, batch: WriteBatch): void {
    let changed = this.#batches.get(batch);
    if (changed === undefined) {
      changed = { generation: batch.generation, entries: [] };
      this.#batches.set(batch, changed);
    }
    if (changed.entries.at(-1) === entry) return;
    this.#overlay.pin(entry, DIRTY);
    changed.entries.push(entry);
    this.#counts.set(entry, (this.#counts.get(entry) ?? 0) + 1);
  }
}
