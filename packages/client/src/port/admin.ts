import type { TopicPartition } from '@millrace/core';

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  /** A topic that is deleted and made again has another one. Absent when the broker does not tell (before Kafka 2.8). */
  readonly topicId?: string | undefined;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** −1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<{ [name: string]: string }>;
}

/** A member of a consumer group as its coordinator knows it. */
export interface DescribedMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  /** What it is to read. Empty while the group rebalances: nothing is decided then. */
  readonly partitions: readonly TopicPartition[];
  /** Of a member of a streams group: the process that it is a part of. */
  readonly processId: string | undefined;
}

export interface Admin {
  /** Undefined for topics that do not exist. Always asks the cluster. */
  describeTopics(names: readonly string[], signal?: AbortSignal): Promise<Map<string, TopicDescription | undefined>>;
  listTopics(): Promise<TopicDescription[]>;
  /** Creates and waits until the partitions have leaders. A topic that exists already is fine: returns its names. */
  createTopics(topics: readonly NewTopic[], signal?: AbortSignal): Promise<{ readonly existed: readonly string[] }>;
  deleteTopics(names: readonly string[]): Promise<void>;
  describeConfigs(topic: string): Promise<Map<string, string>>;
  createPartitions(topic: string, count: number): Promise<void>;
  /** Deletes records below the offset. */
  deleteRecords(
    offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
  ): Promise<void>;
  /** Ends the open transaction of a dead process and fences it (InitProducerId with its id). */
  fenceTransactionalId(transactionalId: string, transactionTimeoutMs: number): Promise<void>;
  /**
   * Transactional ids with an open transaction, over all brokers.
   * Empty when the brokers are too old to tell (before 3.0) or the principal may not ask.
   */
  listOpenTransactions(): Promise<string[]>;
  listGroups(): Promise<string[]>;
  describeGroup(groupId: string): Promise<{
    readonly state: string;
    readonly members: readonly DescribedMember[];
  }>;
  deleteGroups(groupIds: readonly string[]): Promise<void>;
  /** Takes members out of a group; those that are gone already are fine. One that lives joins again. */
  removeMembers(groupId: string, memberIds: readonly string[]): Promise<void>;
  /** Forgets what a group without members has committed for the partitions; topics and groups that are gone are fine. */
  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>;
}
