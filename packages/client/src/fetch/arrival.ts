import type { Clock } from '@millrace/core';

/** Lets loops wait for something to arrive, for at most a while. */
export class Arrival {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes all who wait. */
  announce(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next announcement, after `timeoutMs`, or when the signal aborts; never rejects. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const cancelTimer = this.#clock.setTimer(timeoutMs, wake);
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
