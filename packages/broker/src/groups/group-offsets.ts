import { topicPartitionKey, type TopicPartition } from '@millrace/core';
import type { OffsetKey, OffsetValue } from './group-records.ts';

/** A committed offset, with its place in the log of offsets: of two, the later one holds. */
interface StoredOffset extends OffsetValue, TopicPartition {
  readonly recordOffset: number;
}

type OffsetsByPartition = Map<string, StoredOffset>;

/**
 * The offsets that groups have committed, and those that wait for their transaction to end.
 *
 * It learns everything from records of the log of offsets, at run time as at start, so a restart cannot differ.
 *
 * Source: Kafka `OffsetMetadataManager`.
 */
export class GroupOffsets {
  readonly #committed = new Map<string, OffsetsByPartition>();
  /** By producer id, then by group. */
  readonly #pending = new Map<number, Map<string, OffsetsByPartition>>();

  groupIds(): IterableIterator<string> {
    return this.#committed.keys();
  }

  of(groupId: string): IterableIterator<StoredOffset> {
    return (this.#committed.get(groupId) ?? new Map<string, StoredOffset>()).values();
  }

  get(groupId: string, topic: string, partition: number): OffsetValue | undefined {
    return this.#committed.get(groupId)?.get(topicPartitionKey(topic, partition));
  }

  /** Whether a transaction that is still open wants to change the offset. */
  isPending(groupId: string, topic: string, partition: number): boolean {
    const key = topicPartitionKey(topic, partition);
    for (const byGroup of this.#pending.values()) if (byGroup.get(groupId)?.has(key) === true) return true;
    return false;
  }

  /** Partitions of the group with an offset that waits. */
  pendingOf(groupId: string): TopicPartition[] {
    return [...this.#pending.values()].flatMap((byGroup) => [...(byGroup.get(groupId)?.values() ?? [])]);
  }

  /** A record was appended. `producerId` when it belongs to a transaction; a missing value deletes. */
  apply(key: OffsetKey, value: OffsetValue | undefined, recordOffset: number, producerId?: number): void {
    const { groupId, topic, partition } = key;
    if (value === undefined) {
      this.#committed.get(groupId)?.delete(topicPartitionKey(topic, partition));
      return;
    }
    const stored = { topic, partition, recordOffset, ...value };
    const target = producerId === undefined ? this.#committed : this.#pendingOf(producerId);
    const offsets = target.get(groupId) ?? new Map<string, StoredOffset>();
    target.set(groupId, offsets);
    offsets.set(topicPartitionKey(topic, partition), stored);
  }

  /** A marker was appended: what waited for it holds from now on, or is forgotten. */
  ended(producerId: number, commit: boolean): void {
    const byGroup = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (!commit || byGroup === undefined) return;
    for (const [groupId, offsets] of byGroup) {
      const committed = this.#committed.get(groupId) ?? new Map<string, StoredOffset>();
      this.#committed.set(groupId, committed);
      for (const [key, offset] of offsets) {
        // A plain commit in the meantime stands later in the log.
        if ((committed.get(key)?.recordOffset ?? -1) < offset.recordOffset) committed.set(key, offset);
      }
    }
  }

  /** Forgets a group altogether. */
  deleteGroup(groupId: string): void {
    this.#committed.delete(groupId);
  }

  #pendingOf(producerId: number): Map<string, OffsetsByPartition> {
    const byGroup = this.#pending.get(producerId) ?? new Map<string, OffsetsByPartition>();
    this.#pending.set(producerId, byGroup);
    return byGroup;
  }
}
