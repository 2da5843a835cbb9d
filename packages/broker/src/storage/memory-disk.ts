import { FatalStreamsError } from '@millrace/core';
import type { PartitionStorage } from '../log/segment-bytes.ts';
import type { BrokerDisk, BrokerStorage, FsyncPolicy, StoredTopic, Survivors } from './broker-storage.ts';
import { MemoryPartition } from './memory-partition.ts';

/**
 * A disk in memory: what one broker wrote to it is there for the next one of the same process. For tests in virtual time in which
 * brokers crash and come back.
 *
 * Topics, configurations, log starts and ids count as flushed at once; records as the broker's `fsync` says.
 *
 * @example
 * const disk = new MemoryDisk();
 * const first = await startBroker({ disk });
 * await first.crash({ losesUnflushed: true });
 * const second = await startBroker({ disk });
 */
export class MemoryDisk implements BrokerDisk {
  readonly #topics = new Map<string, StoredTopic>();
  readonly #partitions = new Map<string, MemoryPartition>();
  #clusterId: string | undefined;
  #leaderEpoch = -1;
  #producerIdsEnd = 0;
  #isOpen = false;

  /** @throws FatalStreamsError DIRECTORY_IN_USE */
  open(fsync: FsyncPolicy): BrokerStorage {
    if (this.#isOpen) throw new FatalStreamsError('DIRECTORY_IN_USE', 'a broker runs on this disk: stop it first');
    this.#isOpen = true;
    this.#leaderEpoch++;
    return this.#storage(fsync);
  }

  #storage(fsync: FsyncPolicy): BrokerStorage {
    const topics = this.#topics;
    return {
      clusterId: this.#clusterId,
      leaderEpoch: this.#leaderEpoch,
      topics: () => [...topics.values()],
      saveTopic: (topic) => void topics.set(topic.id, topic),
      forgetTopic: (id) => void topics.delete(id),
      saveClusterId: (clusterId) => {
        this.#clusterId = clusterId;
      },
      reserveProducerIds: (count) => {
        const first = this.#producerIdsEnd;
        this.#producerIdsEnd += count;
        return first;
      },
      openPartition: (topicId, _topic, partition) => this.#openPartition(`${topicId}-${partition}`, fsync === 'always'),
      flush: () => {
        if (fsync !== 'never') this.#eachPartition((one) => one.flush());
      },
      close: () => {
        this.#isOpen = false;
      },
      abandon: (survivors) => this.#abandon(survivors),
    };
  }

  #openPartition(name: string, flushesAppends: boolean): PartitionStorage {
    const known = this.#partitions.get(name);
    const partition = known ?? new MemoryPartition(flushesAppends, () => void this.#partitions.delete(name));
    this.#partitions.set(name, partition);
    return partition;
  }

  #abandon(survivors: Survivors): void {
    if (survivors === 'flushed') this.#eachPartition((one) => one.loseUnflushed());
    this.#isOpen = false;
  }

  #eachPartition(visit: (partition: MemoryPartition) => void): void {
    for (const partition of this.#partitions.values()) visit(partition);
  }
}
