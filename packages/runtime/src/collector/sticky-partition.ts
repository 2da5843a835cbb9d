import type { Random } from '@millrace/core';

/** Kafka: `batch.size`, the default of the Java producer. */
const BYTES_PER_PARTITION = 16 * 1024;

/**
 * The partition for records without a key: stays the same until about one batch has been filled, so that such records travel
 * in few large batches instead of many small ones, and changes at random, so that they spread evenly.
 *
 * Source: Kafka `BuiltInPartitioner` (KIP-480, KIP-794), without its weighing by broker load.
 */
export class StickyPartition {
  readonly #partitions: number;
  readonly #random: Random;
  #partition = -1;
  #bytesLeft = 0;

  /** @param partitions of the topic, ≥ 1 */
  constructor(partitions: number, random: Random) {
    this.#partitions = partitions;
    this.#random = random;
  }

  /** The partition of a record of that size. */
  next(bytes: number): number {
    if (this.#partitions === 1) return 0;
    if (this.#bytesLeft <= 0) {
      this.#partition = Math.floor(this.#random.next() * this.#partitions);
      this.#bytesLeft = BYTES_PER_PARTITION;
    }
    this.#bytesLeft -= bytes;
    return this.#partition;
  }
}
