import { type CreateTopicsRequest, ErrorCode } from '@millrace/wire';
import { checkConfig, type ConfigLimits } from '../configs/check-config.ts';
import { Refusal } from '../refusal.ts';
import { checkTopicName, collidingName, isInternalTopic } from './topic-name.ts';
import type { TopicRegistry } from './topic-registry.ts';

type RequestedTopic = CreateTopicsRequest['topics'][number];

/** A topic that may be created. */
export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly configs: ReadonlyMap<string, string>;
}

export interface NewTopicLimits extends ConfigLimits {
  /** Partitions of a topic that does not say how many. */
  readonly defaultPartitions: number;
  readonly nodeIds: readonly number[];
}

/**
 * Checks a topic that somebody wants to create, and fills in what was left to the broker.
 *
 * @throws Refusal with the code of what is wrong first
 */
export function checkNewTopic(topic: RequestedTopic, topics: TopicRegistry, limits: NewTopicLimits): NewTopic {
  checkTopicName(topic.name);
  if (isInternalTopic(topic.name)) {
    throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `${topic.name} is internal: the broker creates it itself`);
  }
  if (topics.get(topic.name) !== undefined) {
    throw new Refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic.name}' already exists.`);
  }
  const colliding = collidingName(
    topic.name,
    [...topics.all].map(({ name }) => name),
  );
  if (colliding !== undefined) {
    throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${topic.name}' collides with existing topic: ${colliding}`);
  }
  for (const { name, value } of topic.configs) checkConfig(name, value, limits);
  const partitions = topic.assignments.length > 0 ? assignedPartitions(topic, limits.nodeIds) : countedPartitions(topic, limits);
  return { name: topic.name, partitions, configs: new Map(topic.configs.map(({ name, value }) => [name, value as string])) };
}

function countedPartitions(
  { numPartitions, replicationFactor }: RequestedTopic,
  { defaultPartitions, nodeIds }: NewTopicLimits,
): number {
  if (numPartitions < -1 || numPartitions === 0) {
    throw new Refusal(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.');
  }
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw new Refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    );
  }
  if (replicationFactor > nodeIds.length) {
    throw new Refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} ` +
        `cannot be reached because only ${nodeIds.length} broker(s) are registered.`,
    );
  }
  return numPartitions === -1 ? defaultPartitions : numPartitions;
}

function assignedPartitions(
  { assignments, numPartitions, replicationFactor }: RequestedTopic,
  nodeIds: readonly number[],
): number {
  if (numPartitions !== -1 || replicationFactor !== -1) {
    throw new Refusal(
      ErrorCode.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.',
    );
  }
  const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex));
  const isComplete = indexes.size === assignments.length && assignments.every((_, index) => indexes.has(index));
  const isKnown = assignments.every(({ brokerIds }) => brokerIds.length > 0 && brokerIds.every((id) => nodeIds.includes(id)));
  if (!isComplete || !isKnown) {
    throw new Refusal(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `the assignment must place every partition from 0 on once, on brokers out of ${nodeIds.join(', ')}`,
    );
  }
  return assignments.length;
}
