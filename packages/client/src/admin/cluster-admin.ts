import { RetriableError, type TopicPartition } from '@millrace/core';
import { createPartitions, createTopics, deleteRecords, deleteTopics, describeConfigs, ErrorCode } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { askLeaders } from '../cluster/leader-requests.ts';
import { groupByTopic } from '../cluster/topic-grouping.ts';
import type { TopicMetadata } from '../cluster/topic-metadata.ts';
import { brokerError } from '../errors/broker-error.ts';
import type { Admin, NewTopic, TopicDescription } from '../port/admin.ts';
import { retrying } from '../retry/retrying.ts';
import { GroupAdmin } from './group-admin.ts';
import { TransactionAdmin } from './transaction-admin.ts';

const TOPIC_RESOURCE = 2;

/**
 * Administration. Requests go to any broker, which forwards to the controller what only that one can do (KRaft).
 *
 * Operations retry what passes by itself for up to a minute, unless they take a signal.
 */
export class ClusterAdmin implements Admin {
  readonly #cluster: Cluster;
  readonly #groups: GroupAdmin;
  readonly #transactions: TransactionAdmin;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#groups = new GroupAdmin(cluster);
    this.#transactions = new TransactionAdmin(cluster);
  }

  async describeTopics(names: readonly string[], signal?: AbortSignal): Promise<Map<string, TopicDescription | undefined>> {
    if (names.length === 0) return new Map();
    const found = await retrying(this.#cluster.retryOptions(signal), () => this.#cluster.describe(names));
    return new Map(Array.from(found, ([name, topic]) => [name, topic && described(topic)] as const));
  }

  async listTopics(): Promise<TopicDescription[]> {
    const found = await retrying(this.#cluster.retryOptions(), () => this.#cluster.describe(undefined));
    return [...found.values()].flatMap((one) => (one === undefined ? [] : [described(one)]));
  }

  async createTopics(topics: readonly NewTopic[], signal?: AbortSignal): Promise<{ readonly existed: readonly string[] }> {
    if (topics.length === 0) return { existed: [] };
    const existed = new Set<string>();
    // Whatever a lost answer had created counts as created by us: only what existed at the first look is reported.
    const before = await this.describeTopics(
      topics.map(({ name }) => name),
      signal,
    );
    for (const [name, description] of before) if (description !== undefined) existed.add(name);
    let open = topics.filter(({ name }) => !existed.has(name));
    await retrying(this.#cluster.retryOptions(signal), async () => {
      if (open.length > 0) open = await this.#createOnce(open);
    });
    await this.#untilLed(
      topics.map(({ name }) => name),
      signal,
    );
    return { existed: [...existed] };
  }

  /** Returns nothing that is left to do, or throws. */
  async #createOnce(topics: readonly NewTopic[]): Promise<NewTopic[]> {
    const timeoutMs = this.#cluster.requests.requestTimeoutMs;
    const response = await this.#cluster.requests.send(
      createTopics,
      'any',
      { topics: topics.map(creation), timeoutMs },
      { lane: 'admin' },
    );
    for (const { name, errorCode, errorMessage } of response.topics) {
      if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) continue;
      throw brokerError(errorCode, { api: 'CreateTopics', topic: name, brokerMessage: errorMessage });
    }
    return [];
  }

  /** Waits until every partition has a leader: before that a new topic cannot be used. */
  async #untilLed(names: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await retrying(this.#cluster.retryOptions(signal), async () => {
      for (const [topic, found] of await this.#cluster.describe(names)) {
        if (found === undefined || found.leaders.includes(-1)) {
          throw new RetriableError('LEADER_NOT_AVAILABLE', 'the new topic is not led by anybody yet; waiting', { topic });
        }
      }
    });
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await retrying(this.#cluster.retryOptions(), async () => {
      const timeoutMs = this.#cluster.requests.requestTimeoutMs;
      const response = await this.#cluster.requests.send(
        deleteTopics,
        'any',
        { topicNames: names, timeoutMs },
        { lane: 'admin' },
      );
      for (const { name, errorCode, errorMessage } of response.responses) {
        if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue;
        throw brokerError(errorCode, { api: 'DeleteTopics', topic: name, brokerMessage: errorMessage });
      }
    });
  }

  async describeConfigs(topic: string): Promise<Map<string, string>> {
    const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic }];
    return retrying(this.#cluster.retryOptions(), async () => {
      const response = await this.#cluster.requests.send(describeConfigs, 'any', { resources }, { lane: 'admin' });
      const configs = new Map<string, string>();
      for (const { errorCode, errorMessage, configs: entries } of response.results) {
        if (errorCode !== 0) throw brokerError(errorCode, { api: 'DescribeConfigs', topic, brokerMessage: errorMessage });
        for (const { name, value } of entries) if (value != null) configs.set(name, value);
      }
      return configs;
    });
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    const timeoutMs = this.#cluster.requests.requestTimeoutMs;
    const body = { topics: [{ name: topic, count }], timeoutMs };
    await retrying(this.#cluster.retryOptions(), async () => {
      const response = await this.#cluster.requests.send(createPartitions, 'any', body, { lane: 'admin' });
      for (const { errorCode, errorMessage } of response.results) {
        if (errorCode !== 0) throw brokerError(errorCode, { api: 'CreatePartitions', topic, brokerMessage: errorMessage });
      }
    });
    this.#cluster.refreshSoon(topic);
  }

  async deleteRecords(
    offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
  ): Promise<void> {
    const timeoutMs = this.#cluster.requests.requestTimeoutMs;
    await askLeaders(this.#cluster, 'DeleteRecords', offsets, async (nodeId, own) => {
      const topics = groupByTopic(own, ({ partition, offset }) => ({ partitionIndex: partition, offset }));
      const body = { topics: topics.map(({ topic: name, partitions }) => ({ name, partitions })), timeoutMs };
      const response = await this.#cluster.requests.send(deleteRecords, nodeId, body, { lane: 'admin' });
      return response.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({ topic: name, partition: partitionIndex, errorCode })),
      );
    });
  }

  fenceTransactionalId(transactionalId: string, transactionTimeoutMs: number): Promise<void> {
    return this.#transactions.fence(transactionalId, transactionTimeoutMs);
  }

  listOpenTransactions(): Promise<string[]> {
    return this.#transactions.listOpen();
  }

  listGroups(): Promise<string[]> {
    return this.#groups.list();
  }

  describeGroup(groupId: string): ReturnType<Admin['describeGroup']> {
    return this.#groups.describe(groupId);
  }

  deleteGroups(groupIds: readonly string[]): Promise<void> {
    return this.#groups.delete(groupIds);
  }

  removeMembers(groupId: string, memberIds: readonly string[]): Promise<void> {
    return this.#groups.removeMembers(groupId, memberIds);
  }

  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#groups.deleteOffsets(groupId, partitions);
  }
}

function described({ topic: name, topicId, leaders }: TopicMetadata): TopicDescription {
  return { name, partitions: leaders.length, topicId };
}

function creation({ name, partitions, replicationFactor, configs }: NewTopic) {
  return {
    name,
    replicationFactor,
    numPartitions: partitions,
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  };
}
