import type { Logger } from '@millrace/core';
import type { Admin, OffsetCommit } from '@millrace/client';

export interface RepartitionPurgeOptions {
  readonly admin: Admin;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** True for the application's own repartition topics; nothing else is ever deleted from. */
  readonly isRepartitionTopic: (topic: string) => boolean;
}

/**
 * Deletes consumed records from repartition topics, whose retention is unlimited because nobody else may delete what has not
 * been read. Only ever below offsets that are committed. Best effort: a failure is logged and tried again next time.
 *
 * Source: Kafka Streams `repartition.purge.interval.ms`.
 */
export class RepartitionPurge {
  readonly #options: RepartitionPurgeOptions;
  readonly #committed = new Map<string, { topic: string; partition: number; offset: number }>();
  #lastMs: number;
  #running = false;

  constructor(options: RepartitionPurgeOptions, nowMs: number) {
    this.#options = options;
    this.#lastMs = nowMs;
  }

  /** Takes note of committed offsets, and purges when it is time. */
  committed(offsets: readonly OffsetCommit[], nowMs: number): void {
    for (const { topic, partition, offset } of offsets) {
      if (this.#options.isRepartitionTopic(topic)) this.#committed.set(`${topic}-${partition}`, { topic, partition, offset });
    }
    const sinceMs = nowMs - this.#lastMs;
    // Below zero the wall clock was put back: the interval begins anew instead of lasting as long as that.
    if (sinceMs < 0) this.#lastMs = nowMs;
    if (this.#running || this.#committed.size === 0 || sinceMs < this.#options.intervalMs) return;
    this.#lastMs = nowMs;
    this.#running = true;
    const due = [...this.#committed.values()];
    this.#committed.clear();
    void this.#purge(due);
  }

  async #purge(offsets: readonly { topic: string; partition: number; offset: number }[]): Promise<void> {
    try {
      await this.#options.admin.deleteRecords(offsets);
    } catch (error) {
      this.#options.logger.warn('could not purge repartition topics; it is tried again later', { error });
    } finally {
      this.#running = false;
    }
  }
}
