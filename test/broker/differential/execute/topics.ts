import {
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  incrementalAlterConfigs,
  listOffsets,
  metadata,
} from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';

/** Those whose defaults do not depend on how a broker was set up. */
const comparedConfigs = [
  'cleanup.policy',
  'delete.retention.ms',
  'max.message.bytes',
  'message.timestamp.type',
  'min.cleanable.dirty.ratio',
  'segment.bytes',
];
const TIMEOUT_MS = 30_000;

export async function createTopic(session: Session, operation: OperationOf<'createTopic'>): Promise<string> {
  const { version, partitions, replicationFactor, configs, validateOnly } = operation;
  const name = session.topic(operation.topic);
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topic = { name, numPartitions: partitions, replicationFactor, configs: entries };
  const { topics } = await session.connection.send(createTopics, version, {
    topics: [topic],
    timeoutMs: TIMEOUT_MS,
    ...(version >= 1 ? { validateOnly } : {}),
  });
  const [answer] = topics;
  if (answer?.errorCode === 0 && !validateOnly)
    await untilOpen(session, name, answer.numPartitions > 0 ? answer.numPartitions : partitions);
  const given = answer?.configs?.filter(({ name: key }) => key in configs).map(({ name: key, value }) => `${key}=${value}`);
  const extra = answer?.errorCode === 0 && version >= 5 ? ` ${answer.numPartitions}/${answer.replicationFactor} ${given}` : '';
  return `${answer?.errorCode}${extra}`;
}

export async function createIllegalTopic(session: Session, { version, name }: OperationOf<'createIllegalTopic'>) {
  const topic = { name, numPartitions: 1, replicationFactor: 1 };
  const { topics } = await session.connection.send(createTopics, version, { topics: [topic], timeoutMs: TIMEOUT_MS });
  return topics.map(({ errorCode }) => errorCode).join();
}

export async function deleteTopic(session: Session, { topic, version }: OperationOf<'deleteTopic'>): Promise<string> {
  const name = session.topic(topic);
  const topics = version >= 6 ? { topics: [{ name }] } : { topicNames: [name] };
  const { responses } = await session.connection.send(deleteTopics, version, { ...topics, timeoutMs: TIMEOUT_MS });
  if (responses[0]?.errorCode === 0) await untilPartitions(session, name, (count) => count === 0);
  return `${responses[0]?.errorCode}`;
}

export async function addPartitions(session: Session, operation: OperationOf<'createPartitions'>): Promise<string> {
  const { topic, version, count } = operation;
  const name = session.topic(topic);
  const { results } = await session.connection.send(createPartitions, version, {
    topics: [{ name, count }],
    timeoutMs: TIMEOUT_MS,
  });
  if (results[0]?.errorCode === 0) {
    await untilPartitions(session, name, (known) => known === count);
    await untilOpen(session, name, count);
  }
  return `${results[0]?.errorCode}`;
}

export async function describeTopic(session: Session, { topic, version }: OperationOf<'metadata'>): Promise<string> {
  const [answer] = await topicMetadata(session, session.topic(topic), version);
  const partitions = answer?.partitions.map(
    ({ errorCode, partitionIndex, leaderEpoch, replicaNodes, isrNodes, offlineReplicas }) =>
      `${partitionIndex}:${errorCode}/${leaderEpoch}/${replicaNodes.length}${isrNodes.length}${offlineReplicas.length}`,
  );
  return `${answer?.errorCode} ${answer?.isInternal} ${partitions?.sort().join(' ')}`;
}

export async function describeTopicConfigs(session: Session, operation: OperationOf<'describeConfigs'>): Promise<string> {
  const { topic, version } = operation;
  const [answer] = await topicConfigs(session, session.topic(topic), version);
  const configs = answer?.configs.map(
    ({ name, value, configSource, readOnly, isSensitive, configType }) =>
      `${name}=${value}/${configSource}${readOnly ? 'r' : ''}${isSensitive ? 's' : ''}/${configType}`,
  );
  return `${answer?.errorCode} ${configs?.sort().join(' ')}`;
}

export async function alterConfig(session: Session, operation: OperationOf<'alterConfig'>): Promise<string> {
  const { topic, version, key, value, operation: configOperation } = operation;
  const resourceName = session.topic(topic);
  const config = { name: key, configOperation, value: value ?? undefined };
  const { responses } = await session.connection.send(incrementalAlterConfigs, version, {
    resources: [{ resourceType: 2, resourceName, configs: [config] }],
  });
  const errorCode = responses[0]?.errorCode;
  if (errorCode === 0 && configOperation === 0) {
    const shows = (results: Awaited<ReturnType<typeof topicConfigs>>) =>
      results[0]?.configs.some((one) => one.name === key && one.value === value) ?? false;
    await session.until(() => topicConfigs(session, resourceName, 4), shows);
  }
  return `${errorCode}`;
}

export async function purge(session: Session, operation: OperationOf<'deleteRecords'>): Promise<string> {
  const { topic, partition, offset, version } = operation;
  const { topics } = await session.connection.send(deleteRecords, version, {
    topics: [{ name: session.topic(topic), partitions: [{ partitionIndex: partition, offset }] }],
    timeoutMs: TIMEOUT_MS,
  });
  const answer = topics[0]?.partitions[0];
  return `${answer?.errorCode} ${answer?.lowWatermark}`;
}

async function topicConfigs(session: Session, resourceName: string, version: number) {
  const resources = [{ resourceType: 2, resourceName, configurationKeys: comparedConfigs }];
  return (await session.connection.send(describeConfigs, version, { resources })).results;
}

async function topicMetadata(session: Session, name: string, version: number) {
  const automatic = version >= 4 ? { allowAutoTopicCreation: false } : {};
  return (await session.connection.send(metadata, version, { topics: [{ name }], ...automatic })).topics;
}

/** The logs of a new topic are there a moment after its metadata. */
async function untilOpen(session: Session, name: string, count: number): Promise<void> {
  await untilPartitions(session, name, (led) => led > 0);
  const partitions = Array.from({ length: Math.max(1, count) }, (_, partitionIndex) => ({ partitionIndex, timestamp: -2 }));
  const ask = () => session.connection.send(listOffsets, 7, { topics: [{ name, partitions }] });
  await session.until(ask, ({ topics }) => topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) ?? false);
}

/** Kafka's brokers learn a moment after the controller what has become of a topic. */
async function untilPartitions(session: Session, name: string, isReached: (count: number) => boolean): Promise<void> {
  const led = async () => {
    const [topic] = await topicMetadata(session, name, 8);
    return topic?.partitions.filter(({ errorCode }) => errorCode === 0).length ?? 0;
  };
  await session.until(led, isReached);
}
