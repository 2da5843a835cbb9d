import { FatalStreamsError, StreamsError, type Logger } from '@millrace/core';
import type { Admin, NewTopic, TopicDescription } from '@millrace/client';
import { configProblems } from './topic-config-check.ts';

/** Configurations that are looked up at the same time. */
const LOOKUPS_AT_ONCE = 16;

/** A topic that must exist before tasks can start. */
export interface InternalTopic {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<{ [name: string]: string }>;
  /** The store whose changelog it is. */
  readonly store?: string | undefined;
  /** The sub-topology whose changelog it is. */
  readonly subtopology?: number | undefined;
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

export interface InternalTopicsOptions {
  readonly admin: Admin;
  readonly replicationFactor: number;
  readonly logger: Logger;
  /** Names of topics whose configuration has been found good; added to, so that each is looked up only once. */
  readonly verified: Set<string>;
  /** Refuses to make topics anew that must have existed. @throws FatalStreamsError */
  readonly beforeCreate?: (missing: readonly InternalTopic[]) => Promise<void>;
}

/**
 * Creates the internal topics that are missing and checks those that exist. Run by the leader of the group before it assigns.
 *
 * @throws FatalStreamsError `INTERNAL_TOPIC_PARTITIONS` when one exists with another partition count: its records are placed
 * by that count, so neither more nor fewer tasks would see the right keys; `INTERNAL_TOPIC_CONFIG` when one would lose records
 * Source: Kafka Streams `InternalTopicManager`.
 */
export async function ensureInternalTopics(topics: readonly InternalTopic[], options: InternalTopicsOptions): Promise<void> {
  if (topics.length === 0) return;
  const { admin, logger, replicationFactor, verified, beforeCreate } = options;
  const existing = await admin.describeTopics(topics.map((topic) => topic.name));
  const missing = topics.filter((topic) => !hasRightCount(topic, existing.get(topic.name)));
  await verifyConfigs(
    topics.filter((topic) => !missing.includes(topic)),
    options,
  );
  if (missing.length === 0) return;
  await beforeCreate?.(missing);
  const { existed } = await admin.createTopics(missing.map((topic) => newTopic(topic, replicationFactor)));
  const created = missing.map((topic) => topic.name).filter((name) => !existed.includes(name));
  for (const name of created) verified.add(name);
  logger.info('created internal topics', { topics: created });
  // Somebody else may have made them in the meantime, with other counts.
  if (existed.length > 0) {
    const again = await admin.describeTopics(existed);
    const others = missing.filter((topic) => existed.includes(topic.name));
    for (const topic of others) hasRightCount(topic, again.get(topic.name));
    await verifyConfigs(others, options);
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

async function verifyConfigs(
  topics: readonly InternalTopic[],
  { admin, logger, verified }: InternalTopicsOptions,
): Promise<void> {
  const unverified = topics.filter(({ name }) => !verified.has(name));
  for (let first = 0; first < unverified.length; first += LOOKUPS_AT_ONCE) {
    await Promise.all(unverified.slice(first, first + LOOKUPS_AT_ONCE).map((topic) => verifyConfig(topic, admin, logger)));
  }
  for (const { name } of unverified) verified.add(name);
}

async function verifyConfig({ name, configs }: InternalTopic, admin: Admin, logger: Logger): Promise<void> {
  let found: ReadonlyMap<string, string>;
  try {
    found = await admin.describeConfigs(name);
  } catch (error) {
    if (!(error instanceof StreamsError)) throw error;
    logger.warn('the configuration of an internal topic cannot be looked up; it is taken to be right', { topic: name, error });
    return;
  }
  const problems = configProblems(configs, found);
  if (problems.length === 0) return;
  throw new FatalStreamsError(
    'INTERNAL_TOPIC_CONFIG',
    `the internal topic ${name} would lose records that are needed: ${problems.join('; ')}. Change its configuration (kafka-configs.sh --alter), ` +
      'or say that it is meant so in the changelog configuration of the store, or in topicConfig',
    { topic: name },
  );
}
