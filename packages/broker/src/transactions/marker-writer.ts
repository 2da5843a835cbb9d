import type { Cancel, Clock, Logger, Random, TopicPartition } from '@millrace/core';
import { Refusal } from '../refusal.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { EndMarker } from '../log/partition-log.ts';

/** How long to wait after a marker could not be written: the disk is full, say. */
const RETRY_MS = 100;

export interface MarkerWriterOptions {
  readonly topics: TopicRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Each marker comes after a random time up to this. 0: at once, before the transaction's end is even answered. */
  readonly delayMaxMs: number;
}

/**
 * Brings the outcome of a transaction to its partitions, each at its own time, as in a cluster. Until all of them have it, the
 * next transaction of the producer is told to wait.
 */
export class MarkerWriter {
  readonly #options: MarkerWriterOptions;
  readonly #timers = new Set<Cancel>();

  constructor(options: MarkerWriterOptions) {
    this.#options = options;
  }

  /** @param done called when the last marker is written */
  write(marker: EndMarker, partitions: readonly TopicPartition[], done: () => void): void {
    let missing = partitions.length;
    const written = (): void => {
      missing--;
      if (missing === 0) done();
    };
    if (partitions.length === 0) this.#after(this.#delayMs(), done);
    for (const partition of partitions) this.#after(this.#delayMs(), () => this.#append(marker, partition, written));
  }

  /** Forgets what is still to be written: the broker ends, and its successor will do it. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #delayMs(): number {
    return this.#options.random.next() * this.#options.delayMaxMs;
  }

  #after(delayMs: number, action: () => void): void {
    if (this.#options.delayMaxMs === 0 && delayMs === 0) {
      action();
      return;
    }
    const cancel = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  #append(marker: EndMarker, { topic, partition }: TopicPartition, written: () => void): void {
    try {
      // A topic that was deleted meanwhile needs no marker any more.
      this.#options.topics.log(topic, partition)?.appendMarker(marker);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#options.logger.warn('a transaction marker could not be written; trying again', { topic, partition, error });
      this.#after(RETRY_MS, () => this.#append(marker, { topic, partition }, written));
      return;
    }
    written();
  }
}
