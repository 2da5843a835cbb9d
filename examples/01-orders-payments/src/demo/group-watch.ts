import type { KafkaClient } from '@millrace/client';
import { CancelledError, topicPartitionKey, type Clock, type TopicPartition } from '@millrace/core';
import type { Topics } from '../topology.ts';

const INTERVAL_MS = 250;

/** An input partition: who works on it and how far that is behind. */
export interface PartitionStanding {
  /** Name of the worker; undefined before the first assignment. */
  readonly owner: string | undefined;
  /** Orders and payments that have arrived but are not committed. */
  readonly lag: number;
}

/** Watches the consumer group of the application from outside, as any admin tool could. */
export class GroupWatch {
  readonly #client: KafkaClient;
  readonly #groupId: string;
  readonly #topics: Topics;
  readonly #clock: Clock;
  readonly #owners: (string | undefined)[];
  readonly #ends: number[];
  readonly #committed: number[];

  constructor(client: KafkaClient, groupId: string, topics: Topics, partitions: number, clock: Clock) {
    this.#client = client;
    this.#groupId = groupId;
    this.#topics = topics;
    this.#clock = clock;
    this.#owners = new Array<undefined>(partitions).fill(undefined);
    this.#ends = new Array<number>(partitions).fill(0);
    this.#committed = new Array<number>(partitions).fill(0);
  }

  /** By number of the partition. */
  get partitions(): PartitionStanding[] {
    return this.#owners.map((owner, partition) => {
      return { owner, lag: Math.max(0, (this.#ends[partition] ?? 0) - (this.#committed[partition] ?? 0)) };
    });
  }

  partitionsOf(owner: string): number[] {
    return [...this.#owners.keys()].filter((partition) => this.#owners[partition] === owner);
  }

  /** Looks again and again until the signal aborts. The three do not wait for one another. */
  async run(signal: AbortSignal): Promise<void> {
    const looks = [() => this.#lookAtOwners(), () => this.#lookAtEnds(signal), () => this.#lookAtCommits(signal)];
    await Promise.all(looks.map((look) => this.#repeat(look, signal)));
  }

  async #repeat(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await look();
        await this.#clock.sleep(INTERVAL_MS, signal);
      } catch (error) {
        if (!(error instanceof CancelledError) && !signal.aborted) throw error;
      }
    }
  }

  /** During a rebalance the members have no partitions: what was known before stays until the next assignment. */
  async #lookAtOwners(): Promise<void> {
    const { members } = await this.#client.admin.describeGroup(this.#groupId);
    for (const { clientId, partitions } of members) {
      for (const { topic, partition } of partitions) {
        if (topic === this.#topics.orders.name) this.#owners[partition] = clientId;
      }
    }
  }

  async #lookAtEnds(signal: AbortSignal): Promise<void> {
    const ends = await this.#client.offsets.list(this.#inputs(), 'latest', signal);
    this.#sum(this.#ends, ({ topic, partition }) => ends.get(topicPartitionKey(topic, partition)) ?? 0);
  }

  /** Waits while a transaction is undecided, such as that of a worker that was killed. */
  async #lookAtCommits(signal: AbortSignal): Promise<void> {
    const committed = await this.#client.offsets.committed(this.#groupId, this.#inputs(), signal);
    const offsets = new Map(committed.map(({ topic, partition, offset }) => [topicPartitionKey(topic, partition), offset]));
    this.#sum(this.#committed, ({ topic, partition }) => Math.max(0, offsets.get(topicPartitionKey(topic, partition)) ?? 0));
  }

  #sum(target: number[], offsetOf: (of: TopicPartition) => number): void {
    const sums = new Array<number>(target.length).fill(0);
    for (const input of this.#inputs()) sums[input.partition] = (sums[input.partition] ?? 0) + offsetOf(input);
    sums.forEach((sum, partition) => {
      target[partition] = sum;
    });
  }

  #inputs(): TopicPartition[] {
    const { orders, payments } = this.#topics;
    return [orders, payments].flatMap(({ name }) => [...this.#owners.keys()].map((partition) => ({ topic: name, partition })));
  }
}
