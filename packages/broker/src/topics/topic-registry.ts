import { type Clock, type Random, topicPartitionKey } from '@millrace/core';
import { ErrorCode } from '@millrace/wire';
import { TopicConfigs } from '../configs/topic-configs.ts';
import { PartitionLog } from '../log/partition-log.ts';
import { Refusal } from '../refusal.ts';
import type { BrokerStorage, StoredTopic } from '../storage/broker-storage.ts';
import type { Topic } from './topic.ts';
import { isInternalTopic } from './topic-name.ts';

export interface TopicRegistryOptions {
  readonly storage: BrokerStorage;
  readonly clock: Clock;
  readonly random: Random;
  /** Configurations that hold where a topic sets nothing. */
  readonly topicDefaults: Readonly<Record<string, string>>;
}

/** The topics that exist. What is asked of it was checked: names, counts, configurations. */
export class TopicRegistry {
  readonly #options: TopicRegistryOptions;
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<string, Topic>();
  readonly #deletionListeners: ((topic: Topic) => void)[] = [];

  constructor(options: TopicRegistryOptions) {
    this.#options = options;
    for (const stored of options.storage.topics()) this.#open(stored);
  }

  get all(): IterableIterator<Topic> {
    return this.#byName.values();
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  withId(id: string): Topic | undefined {
    return this.#byId.get(id);
  }

  log(topic: string, partition: number): PartitionLog | undefined {
    return this.#byName.get(topic)?.partitions[partition];
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION */
  logOrThrow(topic: string, partition: number): PartitionLog {
    const log = this.log(topic, partition);
    if (log === undefined) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    return log;
  }

  create(name: string, partitions: number, configs: ReadonlyMap<string, string>): Topic {
    const stored = { name, id: this.#options.random.uuid(), partitions, configs: Object.fromEntries(configs) };
    this.#options.storage.saveTopic(stored);
    return this.#open(stored);
  }

  addPartitions(topic: Topic, count: number): void {
    this.#save(topic, count);
    for (let partition = topic.partitions.length; partition < count; partition++) {
      topic.partitions.push(this.#openLog(topic.id, topic.name, partition, topic.configs));
    }
  }

  alter(topic: Topic, configs: ReadonlyMap<string, string>): void {
    topic.configs.replace(configs);
    this.#save(topic, topic.partitions.length);
  }

  delete(topic: Topic): void {
    this.#options.storage.forgetTopic(topic.id);
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.id);
    for (const log of topic.partitions) log.delete();
    for (const listener of this.#deletionListeners) listener(topic);
  }

  /** Calls back when a topic was deleted. */
  onDeletion(listener: (topic: Topic) => void): void {
    this.#deletionListeners.push(listener);
  }

  close(): void {
    for (const { partitions } of this.#byName.values()) for (const log of partitions) log.close();
  }

  #save(topic: Topic, partitions: number): void {
    const { name, id, configs } = topic;
    this.#options.storage.saveTopic({ name, id, partitions, configs: Object.fromEntries(configs.own) });
  }

  #open(stored: StoredTopic): Topic {
    const { name, id } = stored;
    const configs = new TopicConfigs(this.#options.topicDefaults, new Map(Object.entries(stored.configs)));
    const partitions = Array.from({ length: stored.partitions }, (_, partition) => this.#openLog(id, name, partition, configs));
    const topic: Topic = { name, id, configs, partitions, isInternal: isInternalTopic(name) };
    this.#byName.set(name, topic);
    this.#byId.set(id, topic);
    return topic;
  }

  #openLog(id: string, name: string, partition: number, configs: TopicConfigs): PartitionLog {
    const { storage, clock } = this.#options;
    return new PartitionLog({
      name: topicPartitionKey(name, partition),
      storage: storage.openPartition(id, name, partition),
      settings: () => configs.settings,
      leaderEpoch: storage.leaderEpoch,
      nowMs: () => clock.nowMs(),
    });
  }
}
