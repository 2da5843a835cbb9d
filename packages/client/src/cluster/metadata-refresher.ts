import { CancelledError, type Cancel, type Clock, type Logger, type Random } from '@millrace/core';
import { Backoff, RECONNECT_BACKOFF } from '../retry/backoff.ts';

/** Asks for the metadata of these topics and takes it in. */
export type FetchMetadata = (topics: readonly string[]) => Promise<unknown>;

export interface MetadataRefresherOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fetch: FetchMetadata;
  /** Called after every round, also after a failed one: those who wait look again. */
  readonly onRound: () => void;
  readonly signal: AbortSignal;
}

/**
 * Refreshes metadata in the background. However many ask, one request is on its way at a time; the first round after a quiet
 * second comes at once, further ones at growing intervals.
 */
export class MetadataRefresher {
  readonly #options: MetadataRefresherOptions;
  readonly #backoff: Backoff;
  readonly #wanted = new Set<string>();
  #running = false;
  #lastRoundAtMs = -Infinity;
  #cancelAging: Cancel | undefined;

  constructor(options: MetadataRefresherOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, options.random);
  }

  /** Wants fresh metadata for the topic; the round that brings it is announced through `onRound`. */
  request(topic: string): void {
    this.#wanted.add(topic);
    if (this.#running || this.#options.signal.aborted) return;
    this.#running = true;
    void this.#run();
  }

  /** Refreshes the topics again and again, so that new partitions and quiet leader changes are noticed. */
  refreshEvery(intervalMs: number, topics: () => Iterable<string>): void {
    const arm = (): void => {
      this.#cancelAging = this.#options.clock.setTimer(intervalMs, () => {
        for (const topic of topics()) this.request(topic);
        arm();
      });
    };
    arm();
  }

  close(): void {
    this.#cancelAging?.();
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted.size > 0) {
        const { clock, signal, onRound } = this.#options;
        if (clock.monotonicMs() - this.#lastRoundAtMs > RECONNECT_BACKOFF.maxMs) this.#backoff.reset();
        else await this.#backoff.wait(signal);
        await this.#round();
        this.#lastRoundAtMs = clock.monotonicMs();
        onRound();
      }
    } catch (error) {
      if (!(error instanceof CancelledError)) this.#options.logger.error('metadata refresh stopped', { error });
    } finally {
      this.#running = false;
    }
  }

  async #round(): Promise<void> {
    const topics = [...this.#wanted];
    this.#wanted.clear();
    try {
      await this.#options.fetch(topics);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      this.#options.logger.warn('metadata could not be refreshed', { topics: topics.length, error });
      for (const topic of topics) this.#wanted.add(topic);
    }
  }
}
