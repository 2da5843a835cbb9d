import type { FetchedPartition } from '../port/kafka-client.ts';
import type { AssignedPartition } from './assigned-partition.ts';

/** Partitions with something to take, in the order of arrival; paused ones keep their place without holding up the others. */
export class ReadyLine {
  /** One entry per buffered response, in order of arrival. */
  #line: { readonly partition: AssignedPartition; readonly epoch: number }[] = [];

  push(partition: AssignedPartition): void {
    this.#line.push({ partition, epoch: partition.epoch });
  }

  /** True when something can be taken. */
  get available(): boolean {
    return this.#line.some(({ partition, epoch }) => !partition.paused && partition.epoch === epoch);
  }

  /** The oldest of a partition that is not paused. */
  take(): FetchedPartition | undefined {
    const line = this.#line;
    for (let i = 0; i < line.length; i++) {
      const { partition, epoch } = line[i] as { partition: AssignedPartition; epoch: number };
      const isStale = partition.epoch !== epoch;
      if (!isStale && partition.paused) continue;
      line.splice(i--, 1);
      if (!isStale) return partition.shift();
    }
    return undefined;
  }

  clear(): void {
    this.#line = [];
  }
}
