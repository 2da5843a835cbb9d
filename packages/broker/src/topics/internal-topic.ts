import type { Clock } from '@millrace/core';
import type { PartitionLog } from '../log/partition-log.ts';
import type { TopicRegistry } from './topic-registry.ts';

const CONFIGS = new Map([
  ['cleanup.policy', 'compact'],
  ['compression.type', 'producer'],
  ['segment.bytes', '104857600'],
]);

/**
 * The topic in which a coordinator keeps what it knows. One partition: there is one node to spread it over.
 *
 * It comes into being when somebody looks for the coordinator for the first time, a moment after that was answered with "not
 * available", as with Kafka.
 */
export class InternalTopic {
  readonly name: string;
  readonly #topics: TopicRegistry;
  readonly #clock: Clock;
  #isComing = false;
  readonly #readyListeners: ((log: PartitionLog) => void)[] = [];

  constructor(name: string, topics: TopicRegistry, clock: Clock) {
    this.name = name;
    this.#topics = topics;
    this.#clock = clock;
  }

  /** The log of its partition, as soon as there is one. */
  get log(): PartitionLog | undefined {
    return this.#topics.log(this.name, 0);
  }

  /** Makes it, soon. */
  request(): void {
    if (this.#isComing || this.log !== undefined) return;
    this.#isComing = true;
    this.#clock.setTimer(0, () => {
      const log = this.#topics.create(this.name, 1, CONFIGS).partitions[0] as PartitionLog;
      for (const listener of this.#readyListeners.splice(0)) listener(log);
    });
  }

  /** Calls back with the log once it is there; at once when it is. */
  whenReady(listener: (log: PartitionLog) => void): void {
    const { log } = this;
    if (log === undefined) this.#readyListeners.push(listener);
    else listener(log);
  }
}
