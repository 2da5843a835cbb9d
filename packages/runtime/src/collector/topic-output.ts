import { ProcessingError, type Headers, type Random } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '@millrace/client';
import type { StreamPartitioner } from '@millrace/topology';
import { partitionForKey } from '@millrace/wire';
import { StickyPartition } from './sticky-partition.ts';

/** Chooses the partitions of the records that a sink writes to one topic, and appends them. */
export class TopicOutput {
  readonly #appender: BatchAppender;
  readonly #topic: TopicHandle;
  readonly #partitioner: StreamPartitioner<unknown, unknown> | undefined;
  readonly #sticky: StickyPartition;

  constructor(
    appender: BatchAppender,
    topic: TopicHandle,
    partitioner: StreamPartitioner<unknown, unknown> | undefined,
    random: Random,
  ) {
    this.#appender = appender;
    this.#topic = topic;
    this.#partitioner = partitioner;
    this.#sticky = new StickyPartition(topic.partitions, random);
  }

  /**
   * Appends a record whose serialised key and value are ranges of `bytes`; a negative start is null. `key` and `value` are
   * the same before serialisation, for the user's partitioner.
   *
   * @returns false when the partitioner chose no partition: the record is dropped
   */
  append(
    key: unknown,
    value: unknown,
    timestamp: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): boolean {
    const { partitions, topic } = this.#topic;
    const chosen = this.#partitioner === undefined ? undefined : this.#partitioner(topic, key, value, partitions);
    if (chosen == null) {
      const partition = this.#defaultPartition(bytes, keyStart, keyEnd, valueEnd - valueStart);
      this.#appender.append(this.#topic, partition, timestamp, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, headers);
      return true;
    }
    if (typeof chosen === 'number') {
      this.#appender.append(
        this.#topic,
        this.#checked(chosen),
        timestamp,
        bytes,
        keyStart,
        keyEnd,
        bytes,
        valueStart,
        valueEnd,
        headers,
      );
      return true;
    }
    for (const partition of chosen) this.#checked(partition);
    for (const partition of chosen) {
      this.#appender.append(this.#topic, partition, timestamp, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, headers);
    }
    return chosen.length > 0;
  }

  #defaultPartition(bytes: Buffer, keyStart: number, keyEnd: number, valueBytes: number): number {
    const { partitions } = this.#topic;
    if (partitions === 1) return 0;
    return keyStart < 0 ? this.#sticky.next(valueBytes) : partitionForKey(bytes, keyStart, keyEnd, partitions);
  }

  #checked(partition: number): number {
    const { topic, partitions } = this.#topic;
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
    throw new ProcessingError(
      'INVALID_PARTITION',
      `the partitioner of the sink chose partition ${String(partition)}, but ${topic} has partitions 0 to ${partitions - 1}`,
      { topic },
    );
  }
}
