import type { PartitionStorage } from '../log/segment-bytes.ts';

/** A topic as it is remembered over a restart. */
export interface StoredTopic {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** When appends are put on the disk, so that they survive a power failure. */
export type FsyncPolicy = 'never' | 'interval' | 'always';

/** What is there after a crash: all that was written (SIGKILL), or what was put on the disk (power failure). */
export type Survivors = 'written' | 'flushed';

/** Keeps what outlives a broker. One broker at a time. */
export interface BrokerDisk {
  /**
   * Opening it counts as a start: the leader epoch rises.
   *
   * @throws FatalStreamsError DIRECTORY_IN_USE
   */
  open(fsync: FsyncPolicy): BrokerStorage;
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
  /** Lets go as a process that dies does; the segments are closed already. */
  abandon(survivors: Survivors): void;
}
