import type { Clock, Random } from '@millrace/core';

/** Part of a session's lifetime after which it is renewed: 85 to 95 %, as Kafka's own clients do. */
const renewAfter = { share: 0.85, spread: 0.1 };

/**
 * How long the broker accepts requests after an authentication (KIP-368, `connections.max.reauth.ms`). The broker ends the
 * connection on the first request after that, so it is looked at before each request; an idle connection needs no timer.
 */
export class SessionLifetime {
  readonly #clock: Clock;
  readonly #random: Random;
  #renewAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether to authenticate before the next request. Without a limit this costs no look at the clock. */
  get isOver(): boolean {
    return this.#renewAtMs !== Number.POSITIVE_INFINITY && this.#clock.monotonicMs() >= this.#renewAtMs;
  }

  /** @param authenticate resolves with the lifetime that the broker grants, in ms; 0 for no limit */
  async renew(authenticate: () => Promise<number>): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const lifetimeMs = await authenticate();
    const share = renewAfter.share + renewAfter.spread * this.#random.next();
    this.#renewAtMs = lifetimeMs > 0 ? startedMs + lifetimeMs * share : Number.POSITIVE_INFINITY;
  }
}
