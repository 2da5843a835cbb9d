import { ErrorCode, metadata, type MetadataRequest, ZERO_UUID } from '@millrace/wire';
import { errorCodeOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { type ClusterView, controllerOf } from '../placement/cluster-view.ts';
import type { Placement } from '../placement/placement.ts';
import type { Topic } from './topic.ts';
import { checkTopicName } from './topic-name.ts';
import type { TopicRegistry } from './topic-registry.ts';

export interface MetadataOptions {
  readonly cluster: () => ClusterView;
  readonly placement: Placement;
  /**
   * Called for a topic that a client asked for and that does not exist, if it wants to have it. The answer does not know
   * the topic yet, as with Kafka: it appears a moment later.
   */
  readonly autoCreate: ((name: string) => void) | undefined;
}

type AskedTopic = NonNullable<MetadataRequest['topics']>[number];

/** Metadata: the nodes, and the topics that were asked for, by name or by id. */
export function metadataHandler(topics: TopicRegistry, options: MetadataOptions): Handler {
  return answering(metadata, (request, { apiVersion }) => {
    const view = options.cluster();
    const wantsAll = request.topics === undefined || (apiVersion === 0 && request.topics.length === 0);
    const found = wantsAll ? [...topics.all].map(described) : request.topics.map((asked) => describe(asked, request));
    const { clusterId, nodes } = view;
    return { brokers: nodes, clusterId, controllerId: controllerOf(view).nodeId, topics: found };
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
    const leaders = partitions.map((_, partition) => options.placement.leaderOf(name, partition));
    return {
      errorCode: ErrorCode.NONE,
      name,
      topicId: id,
      isInternal,
      partitions: partitions.map(({ leaderEpoch }, partitionIndex) => ({
        errorCode: ErrorCode.NONE,
        partitionIndex,
        leaderId: leaders[partitionIndex] as number,
        leaderEpoch,
        replicaNodes: [leaders[partitionIndex] as number],
        isrNodes: [leaders[partitionIndex] as number],
      })),
    };
  }
}

function missing(errorCode: number, name: string | undefined, topicId = ZERO_UUID) {
  return { errorCode, name, topicId, partitions: [] };
}
