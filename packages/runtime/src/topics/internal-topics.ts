import { FatalStreamsError, type Logger } from '@millrace/core';
import type { Admin, NewTopic, TopicDescription } from '@millrace/client';

/** A topic that must exist before tasks can start. */
export interface InternalTopic {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<{ [name: string]: string }>;
}

/** Configuration of a repartition topic: kept until consumed, deleted by the workers that consumed it. */
export const REPARTITION_CONFIG: Readonly<{ [name: string]: string }> = {
  'cleanup.policy': 'delete',
  'segment.bytes': String(50 * 1024 * 1024),
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
};

/** Configuration that every changelog has besides what its store asks for. */
export const CHANGELOG_CONFIG: Readonly<{ [name: string]: string }> = { 'message.timestamp.type': 'CreateTime' };

/**
 * Creates the internal topics that are missing and checks those that exist. Run by the leader of the group before it assigns.
 *
 * @throws FatalStreamsError `INTERNAL_TOPIC_PARTITIONS` when one exists with another partition count: its records are placed
 * by that count, so neither more nor fewer tasks would see the right keys
 * Source: Kafka Streams `InternalTopicManager`.
 */
export async function ensureInternalTopics(
  admin: Admin,
  topics: readonly InternalTopic[],
  replicationFactor: number,
  logger: Logger,
  signal?: AbortSignal,
): Promise<void> {
  if (topics.length === 0) return;
  const existing = await admin.describeTopics(
    topics.map((topic) => topic.name),
    signal,
  );
  const missing = topics.filter((topic) => !hasRightCount(topic, existing.get(topic.name)));
  if (missing.length === 0) return;
  const { existed } = await admin.createTopics(
    missing.map((topic) => newTopic(topic, replicationFactor)),
    signal,
  );
  logger.info('created internal topics', {
    topics: missing.map((topic) => topic.name).filter((name) => !existed.includes(name)),
  });
  // Somebody else may have made them in the meantime, with other counts.
  if (existed.length > 0) {
    const again = await admin.describeTopics(existed, signal);
    for (const topic of missing) if (existed.includes(topic.name)) hasRightCount(topic, again.get(topic.name));
  }
}

function newTopic(topic: InternalTopic, replicationFactor: number): NewTopic {
  return { name: topic.name, partitions: topic.partitions, replicationFactor, configs: topic.configs };
}

/** False when the topic does not exist; throws when it has another number of partitions. */
function hasRightCount(topic: InternalTopic, found: TopicDescription | undefined): boolean {
  if (found === undefined) return false;
  if (found.partitions === topic.partitions) return true;
  throw new FatalStreamsError(
    'INTERNAL_TOPIC_PARTITIONS',
    `the internal topic ${topic.name} has ${found.partitions} partitions, the topology needs ${topic.partitions}; ` +
      'was the number of input partitions changed? Reset the application (delete its internal topics and local state), or use a new application id',
    { topic: topic.name },
  );
}
