import type { Clock, Random } from '@millrace/core';

/** How long to wait between attempts. All in ms. */
export interface BackoffPolicy {
  /** Before the second attempt. */
  readonly initialMs: number;
  /** Never longer than this. */
  readonly maxMs: number;
}

/** For what comes right by itself within seconds: leaders and coordinators that move, brokers that restart. */
export const RECONNECT_BACKOFF: BackoffPolicy = { initialMs: 20, maxMs: 1000 };

/** For what comes right within milliseconds: CONCURRENT_TRANSACTIONS and UNSTABLE_OFFSET_COMMIT (wire-facts §3). */
export const MARKER_BACKOFF: BackoffPolicy = { initialMs: 2, maxMs: 50 };

/**
 * Exponential back-off with jitter: each wait is between half and all of a value that doubles up to `maxMs`. The jitter keeps
 * the members of a group from coming back all at once after a broker's restart.
 */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BackoffPolicy;
  #attempt = 0;

  constructor(clock: Clock, random: Random, policy: BackoffPolicy = RECONNECT_BACKOFF) {
    this.#clock = clock;
    this.#random = random;
    this.#policy = policy;
  }

  /** How many waits were handed out since the last reset. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The next wait in ms; for callers with a timer of their own. */
  nextDelayMs(): number {
    const { initialMs, maxMs } = this.#policy;
    const full = Math.min(maxMs, initialMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt++;
    return full / 2 + (full / 2) * this.#random.next();
  }

  /** Waits. @throws CancelledError when the signal aborts */
  wait(signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(this.nextDelayMs(), signal);
  }

  /** After a success: the next failure is the first one again. */
  reset(): void {
    this.#attempt = 0;
  }
}
