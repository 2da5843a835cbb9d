import type { Clock, Random } from '@millrace/core';
import type { ResolvedTransportOptions } from './transport-options.ts';

type BackoffSettings = Pick<ResolvedTransportOptions, 'reconnectBackoffMs' | 'reconnectBackoffMaxMs'>;

/**
 * How long to leave a broker alone after it could not be reached: doubling waits with ± 20 % jitter, so that the clients of a
 * broker that restarts do not all come back in the same instant. The first attempt after a success waits for nothing.
 */
export class ReconnectBackoff {
  readonly #settings: BackoffSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #nextAttemptMs = 0;

  constructor(settings: BackoffSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds until the next attempt may start; 0 when it may start now. */
  remainingMs(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#nextAttemptMs - this.#clock.monotonicMs());
  }

  failed(): void {
    const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#settings;
    const waitMs = Math.min(reconnectBackoffMaxMs, reconnectBackoffMs * 2 ** this.#failures);
    this.#failures++;
    this.#nextAttemptMs = this.#clock.monotonicMs() + waitMs * (0.8 + 0.4 * this.#random.next());
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
