import type { Clock, Logger } from '@millrace/core';
import type { Fetcher } from '@millrace/client';
import type { ChangelogProgress } from './changelog-progress.ts';

/** A position that has not moved for this long is worth a word, and another one each time it has doubled. */
const FIRST_WARNING_MS = 5000;

interface Watched {
  position: number;
  sinceMs: number;
  warnAfterMs: number;
}

/**
 * Notices changelogs that do not move on while they are restored, and says what the likely reason is.
 *
 * Why: a broker that is killed at the wrong moment can lose the marker that ends a transaction. Nothing behind such a
 * transaction can be read as committed, and nobody else would say so.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #watched = new Map<ChangelogProgress, Watched>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** To be called from time to time with what is not restored yet. */
  check(pending: Iterable<ChangelogProgress>, fetcher: Fetcher): void {
    const now = this.#clock.monotonicMs();
    for (const progress of pending) {
      const watched = this.#watched.get(progress);
      if (watched === undefined || watched.position !== progress.currentOffset) {
        this.#watched.set(progress, { position: progress.currentOffset, sinceMs: now, warnAfterMs: FIRST_WARNING_MS });
      } else if (now - watched.sinceMs >= watched.warnAfterMs) {
        watched.warnAfterMs *= 2;
        this.#warn(progress, fetcher, now - watched.sinceMs);
      }
    }
  }

  #warn({ taskId, store, topic, partition, currentOffset, endOffset }: ChangelogProgress, fetcher: Fetcher, forMs: number): void {
    const bounds = fetcher.bounds(topic, partition);
    const isHeldBack = bounds !== undefined && bounds.lastStableOffset <= currentOffset && currentOffset < bounds.highWatermark;
    this.#logger.warn(
      isHeldBack
        ? 'restoring waits for a transaction that is still open at the position of the changelog. It ends by its time-out; one that hangs has to be ended by hand: kafka-transactions.sh find-hanging, then abort'
        : 'restoring does not move on: the leader of the changelog does not answer with records',
      {
        taskId,
        store,
        topic,
        partition,
        position: currentOffset,
        endOffset,
        lastStableOffset: bounds?.lastStableOffset,
        highWatermark: bounds?.highWatermark,
        forMs: Math.round(forMs),
      },
    );
  }
}
