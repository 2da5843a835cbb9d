import type { TopicPartition } from '@millrace/core';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type JoinGroupResponse,
} from '@millrace/wire';
import { groupByTopic } from '../cluster/topic-grouping.ts';
import type { Assignor, MemberAssignment, MemberSubscription } from '../port/kafka-client.ts';

/** The protocol type of groups that read topics; what Kafka's own tools expect. */
export const PROTOCOL_TYPE = 'consumer';

/**
 * The bytes with which a member joins. They contain the generation that it comes from: a follower that joins again with
 * the very same bytes would get its old assignment back instead of starting a rebalance (wire-facts §9).
 */
export function subscriptionBytes(assignor: Assignor, generationId: number): Buffer {
  const { topics, ownedPartitions, userData } = assignor.subscription();
  return encodeSubscription({ topics, userData, ownedPartitions: listed(ownedPartitions), generationId });
}

/** What the leader learns of a member. @throws CorruptDataError */
export function readSubscription({
  memberId,
  groupInstanceId,
  metadata,
}: JoinGroupResponse['members'][number]): MemberSubscription {
  const { topics, ownedPartitions, userData, generationId } = decodeSubscription(metadata);
  return { memberId, groupInstanceId, topics, ownedPartitions: flat(ownedPartitions), userData, generationId };
}

export function assignmentBytes({ partitions, userData }: MemberAssignment): Buffer {
  return encodeAssignment({ assignedPartitions: listed(partitions), userData });
}

/** @throws CorruptDataError */
export function readAssignment(bytes: Buffer): MemberAssignment {
  const { assignedPartitions, userData } = decodeAssignment(bytes);
  return { partitions: flat(assignedPartitions), userData };
}

interface ListedTopic {
  readonly topic: string;
  readonly partitions: readonly number[];
}

function listed(partitions: readonly TopicPartition[]): ListedTopic[] {
  return groupByTopic(partitions, ({ partition }) => partition);
}

function flat(topics: readonly ListedTopic[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
