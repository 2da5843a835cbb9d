import type { PartitionStorage } from '../log/segment-bytes.ts';
import type { BrokerStorage, StoredTopic } from './broker-storage.ts';
import { MemoryPartition } from './memory-partition.ts';

/** Nothing outlives the process. */
export class MemoryStorage implements BrokerStorage {
  readonly clusterId = undefined;
  readonly leaderEpoch = 0;
  #nextProducerId = 0;

  topics(): readonly StoredTopic[] {
    return [];
  }

  saveTopic(): void {
    // The registry of topics remembers it as long as the process lives.
  }

  forgetTopic(): void {
    // As above.
  }

  saveClusterId(): void {
    // As above.
  }

  reserveProducerIds(count: number): number {
    const first = this.#nextProducerId;
    this.#nextProducerId += count;
    return first;
  }

  openPartition(): PartitionStorage {
    return new MemoryPartition();
  }

  flush(): void {
    // There is no disk.
  }

  close(): void {
    // Nothing is held.
  }
}
