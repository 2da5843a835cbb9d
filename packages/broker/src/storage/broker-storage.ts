import type { PartitionStorage } from '../log/segment-bytes.ts';

/** A topic as it is remembered over a restart. */
export interface StoredTopic {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** What outlives the broker: in a directory, or nothing at all. */
export interface BrokerStorage {
  readonly clusterId: string | undefined;
  /** Rises with every start: so clients see that the broker was away. */
  readonly leaderEpoch: number;
  topics(): readonly StoredTopic[];
  /** Remembers a topic, or what has become of it: more partitions, other configs. */
  saveTopic(topic: StoredTopic): void;
  forgetTopic(id: string): void;
  saveClusterId(clusterId: string): void;
  /** The first producer id that no start before has given away; reserves a block from there on. */
  reserveProducerIds(count: number): number;
  openPartition(topicId: string, topic: string, partition: number): PartitionStorage;
  /** Puts on the disk what `fsync=interval` has left. */
  flush(): void;
  /** Lets go of files and lock. */
  close(): void;
}
