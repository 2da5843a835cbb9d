import type { AbortedTransaction } from '@millrace/wire';

interface AbortedEntry extends AbortedTransaction {
  /** Offset of the abort marker. */
  readonly lastOffset: number;
}

/**
 * The aborted transactions of a partition, in the order of their markers.
 *
 * Readers get them in this order, as from Kafka, and not by first offset: a consumer that relies on the latter leaks.
 *
 * Source: Kafka `TransactionIndex`.
 */
export class AbortedIndex {
  #entries: AbortedEntry[] = [];

  add(producerId: number, firstOffset: number, markerOffset: number): void {
    this.#entries.push({ producerId, firstOffset, lastOffset: markerOffset });
  }

  /** Those that overlap `[fromOffset, upperBound)`. */
  overlapping(fromOffset: number, upperBound: number): AbortedTransaction[] {
    return this.#entries
      .filter((one) => one.lastOffset >= fromOffset && one.firstOffset < upperBound)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  /** Whether a batch of the producer at that offset belongs to an aborted transaction. */
  covers(producerId: number, offset: number): boolean {
    return this.#entries.some((one) => one.producerId === producerId && one.firstOffset <= offset && offset <= one.lastOffset);
  }

  /** Forgets those that end below the offset. */
  dropBelow(offset: number): void {
    this.#entries = this.#entries.filter(({ lastOffset }) => lastOffset >= offset);
  }
}
