import { createPartitions, type CreatePartitionsRequest, ErrorCode } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from './topic-registry.ts';

type Wish = CreatePartitionsRequest['topics'][number];

/** CreatePartitions: a topic can only grow. */
export function createPartitionsHandler(topics: TopicRegistry, nodeIds: readonly number[]): Handler {
  return answering(createPartitions, ({ topics: wishes, validateOnly }) => ({
    results: wishes.map((wish) => {
      try {
        grow(wish, validateOnly);
        return { name: wish.name, errorCode: ErrorCode.NONE };
      } catch (error) {
        const { errorCode, message } = refusalOf(error);
        return { name: wish.name, errorCode, errorMessage: message };
      }
    }),
  }));

  function grow({ name, count, assignments }: Wish, validateOnly: boolean): void {
    const topic = topics.get(name);
    if (topic === undefined) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const present = topic.partitions.length;
    if (count <= present) {
      throw new Refusal(
        ErrorCode.INVALID_PARTITIONS,
        `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`,
      );
    }
    const isPlaceable = assignments?.every(({ brokerIds }) => brokerIds.every((id) => nodeIds.includes(id))) ?? true;
    if (!isPlaceable || (assignments !== undefined && assignments.length !== count - present)) {
      throw new Refusal(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `new partitions must be placed on brokers out of ${nodeIds.join(', ')}`,
      );
    }
    if (!validateOnly) topics.addPartitions(topic, count);
  }
}
