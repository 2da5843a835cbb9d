import type { Clock } from '@millrace/core';

/** Waits longer each time, until it is reset: nothing first, then `firstMs` doubling up to `maxMs`. */
export class Backoff {
  readonly #clock: Clock;
  readonly #firstMs: number;
  readonly #maxMs: number;
  #nextMs = 0;

  constructor(clock: Clock, firstMs: number, maxMs: number) {
    this.#clock = clock;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(this.#maxMs, Math.max(this.#firstMs, delayMs * 2));
    if (delayMs > 0) await this.#clock.sleep(delayMs, signal);
  }

  /** The next wait is no longer than this. */
  hasten(maxMs: number): void {
    this.#nextMs = Math.min(this.#nextMs, maxMs);
  }

  reset(): void {
    this.#nextMs = 0;
  }
}
