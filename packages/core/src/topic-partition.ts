/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-partition`, the way Kafka prints it; unique per partition, so it serves as a map key. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
