import { ErrorCode, metadata, type MetadataRequest, ZERO_UUID } from '@millrace/wire';
import { errorCodeOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { NodeAddress } from '../server/node-address.ts';
import type { Topic } from './topic.ts';
import { checkTopicName } from './topic-name.ts';
import type { TopicRegistry } from './topic-registry.ts';

export interface MetadataOptions {
  readonly node: () => NodeAddress;
  /**
   * Called for a topic that a client asked for and that does not exist, if it wants to have it. The answer does not know
   * the topic yet, as with Kafka: it appears a moment later.
   */
  readonly autoCreate: ((name: string) => void) | undefined;
}

type AskedTopic = NonNullable<MetadataRequest['topics']>[number];

/** Metadata: the node, and the topics that were asked for, by name or by id. */
export function metadataHandler(topics: TopicRegistry, options: MetadataOptions): Handler {
  return answering(metadata, (request, { apiVersion }) => {
    const { clusterId, nodeId, host, port } = options.node();
    const wantsAll = request.topics === undefined || (apiVersion === 0 && request.topics.length === 0);
    const found = wantsAll ? [...topics.all].map(described) : request.topics.map((asked) => describe(asked, request));
    return { brokers: [{ nodeId, host, port }], clusterId, controllerId: nodeId, topics: found };
  });

  function describe(asked: AskedTopic, { allowAutoTopicCreation }: MetadataRequest) {
    if (asked.name === undefined) return describeById(asked.topicId);
    const topic = topics.get(asked.name);
    if (topic !== undefined) return described(topic);
    const { name } = asked;
    const nameError = errorCodeOf(() => checkTopicName(name));
    if (nameError !== ErrorCode.NONE) return missing(nameError, name);
    if (allowAutoTopicCreation) options.autoCreate?.(name);
    return missing(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name);
  }

  function describeById(topicId: string) {
    const topic = topics.withId(topicId);
    return topic === undefined ? missing(ErrorCode.UNKNOWN_TOPIC_ID, undefined, topicId) : described(topic);
  }

  function described({ name, id, isInternal, partitions }: Topic) {
    const { nodeId } = options.node();
    return {
      errorCode: ErrorCode.NONE,
      name,
      topicId: id,
      isInternal,
      partitions: partitions.map(({ leaderEpoch }, partitionIndex) => ({
        errorCode: ErrorCode.NONE,
        partitionIndex,
        leaderId: nodeId,
        leaderEpoch,
        replicaNodes: [nodeId],
        isrNodes: [nodeId],
      })),
    };
  }
}

function missing(errorCode: number, name: string | undefined, topicId = ZERO_UUID) {
  return { errorCode, name, topicId, partitions: [] };
}
