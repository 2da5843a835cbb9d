import type { TopicHandle } from '../port/kafka-client.ts';
import { PartitionQueue } from './partition-queue.ts';

/** A topic as one producer sees it: finding the queue of a record is an array access. */
export class ProducerTopic implements TopicHandle {
  readonly topic: string;
  readonly partitions: number;
  /** By partition. */
  queues: readonly PartitionQueue[];

  constructor(topic: string, partitions: number) {
    this.topic = topic;
    this.partitions = partitions;
    this.queues = Array.from({ length: partitions }, (_, partition) => new PartitionQueue(topic, partition));
  }

  /** Starts over with empty queues; answers that are still to come find the old ones. Handles stay valid. */
  renew(): void {
    this.queues = this.queues.map(({ partition, endOffset }) => {
      const queue = new PartitionQueue(this.topic, partition);
      queue.endOffset = endOffset;
      return queue;
    });
  }
}
