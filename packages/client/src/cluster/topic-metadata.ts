import { ZERO_UUID } from '@millrace/wire';

/** What the cluster's metadata says about a topic. */
export interface TopicMetadata {
  readonly topic: string;
  /** Another topic of the same name has another one; undefined when the broker is too old to tell (before 2.8). */
  readonly topicId: string | undefined;
  /** Node id of the leader by partition; −1 while there is none. */
  readonly leaders: readonly number[];
}

/** A partition and its index as metadata responses list them: in any order. */
interface ListedPartition {
  readonly partitionIndex: number;
  readonly leaderId: number;
}

export function topicMetadata(topic: string, topicId: string, partitions: readonly ListedPartition[]): TopicMetadata {
  const leaders: number[] = new Array<number>(partitions.length).fill(-1);
  for (const { partitionIndex, leaderId } of partitions) {
    if (partitionIndex < leaders.length) leaders[partitionIndex] = leaderId;
  }
  return { topic, topicId: topicId === ZERO_UUID ? undefined : topicId, leaders };
}
