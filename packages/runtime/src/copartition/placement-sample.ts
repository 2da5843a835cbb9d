import type { FetchedPartition } from '@millrace/client';
import { murmur2, partitionForHash, RecordCursor } from '@millrace/wire';
import { openFetchedBatch } from '../task/fetched-batch-cursor.ts';

/**
 * Distinct keys that tell how a topic is partitioned. With two partitions another partitioner agrees by chance for half of the keys;
 * for three quarters of so many in fewer than one of a hundred cases.
 */
const KEYS = 32;
/** A topic that has fewer keys than that in so many records is not asked about any further. */
const RECORDS_MAX = 5000;

/** The first keys of a topic, and the partitions where they were found. */
export class PlacementSample {
  /** Partition by hash of a key. */
  readonly #partitions = new Map<number, number>();
  readonly #cursor = new RecordCursor();
  #records = 0;

  /** True when there are enough keys for a verdict. */
  get isComplete(): boolean {
    return this.#partitions.size >= KEYS;
  }

  /** True when no more records are needed. */
  get isOver(): boolean {
    return this.isComplete || this.#records >= RECORDS_MAX;
  }

  observe({ partition, batches, fetchOffset }: FetchedPartition): void {
    const cursor = this.#cursor;
    for (const batch of batches) {
      openFetchedBatch(cursor, batch, fetchOffset);
      while (!this.isOver && cursor.next()) {
        this.#records++;
        if (cursor.keyStart < 0) continue;
        const hash = murmur2(cursor.buffer, cursor.keyStart, cursor.keyEnd);
        if (!this.#partitions.has(hash)) this.#partitions.set(hash, partition);
      }
    }
  }

  /**
   * Share of the keys, 0 to 1, that are where Kafka's default partitioner puts them.
   *
   * @param partitions of the topic
   */
  agreement(partitions: number): number {
    let agreeing = 0;
    for (const [hash, partition] of this.#partitions) if (partitionForHash(hash, partitions) === partition) agreeing++;
    return agreeing / this.#partitions.size;
  }
}
