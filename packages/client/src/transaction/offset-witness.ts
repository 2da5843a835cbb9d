import { topicPartitionKey } from '@millrace/core';
import type { OffsetCommit, Offsets } from '../port/kafka-client.ts';
import { compareOffsets, type OffsetVerdict } from './offset-comparison.ts';

/** Remembers what was committed last, and testifies by the group's offsets whether a transaction was committed. */
export class OffsetWitness {
  readonly #offsets: Offsets;
  readonly #committed = new Map<string, OffsetCommit>();

  constructor(offsets: Offsets) {
    this.#offsets = offsets;
  }

  /** These offsets are committed. */
  remember(offsets: readonly OffsetCommit[]): void {
    for (const one of offsets) this.#committed.set(topicPartitionKey(one.topic, one.partition), one);
  }

  /** Partitions may have been with somebody else since. */
  forget(): void {
    this.#committed.clear();
  }

  /** Reads the stable offsets of the group; the transaction in question must have ended. */
  async testify(groupId: string, ours: readonly OffsetCommit[], signal: AbortSignal): Promise<OffsetVerdict> {
    const partitions = ours.map(({ topic, partition }) => ({ topic, partition }));
    return compareOffsets(ours, await this.#offsets.committed(groupId, partitions, signal), this.#committed);
  }
}
