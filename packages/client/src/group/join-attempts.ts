import { RetriableError } from '@millrace/core';
import type { Cluster } from '../cluster/cluster.ts';
import { Backoff } from '../retry/backoff.ts';

/** The joins of a member: one at a time, each tried again while it fails for a reason that passes. */
export class JoinAttempts {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  #current: AbortController | undefined;

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster;
    this.#groupId = groupId;
  }

  /** Ends the join that is going on. */
  cancel(): void {
    this.#current?.abort();
  }

  /**
   * Joins, instead of the join that is going on.
   *
   * @param attempt one attempt
   * @throws the first error that is not retriable; CancelledError when the signal aborts, the client closes or another join begins
   */
  async run<T>(signal: AbortSignal | undefined, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.cancel();
    const current = new AbortController();
    this.#current = current;
    const signals = [current.signal, this.#cluster.closing, ...(signal === undefined ? [] : [signal])];
    try {
      return await this.#untilDone(AbortSignal.any(signals), attempt);
    } finally {
      if (this.#current === current) this.#current = undefined;
    }
  }

  async #untilDone<T>(signal: AbortSignal, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, random, logger } = this.#cluster;
    const backoff = new Backoff(clock, random);
    for (;;) {
      try {
        return await attempt(signal);
      } catch (error) {
        if (!(error instanceof RetriableError) || signal.aborted) throw error;
        logger.info('joining the group is retried', { groupId: this.#groupId, error: error.message });
        // A rebalance that was overtaken by the next one is no failure: the group waits for this member.
        if (error.code !== 'REBALANCE_IN_PROGRESS') await backoff.wait(signal);
      }
    }
  }
}
