import type { Cancel, Clock } from '@millrace/core';

export interface SkewedClockOptions {
  /** Unit ms. */
  readonly skewMs: number;
  /** After so long the wall clock jumps. */
  readonly jumpAfterMs?: number;
  readonly jumpMs?: number;
}

/** A clock whose wall time is wrong, and jumps; timers and monotonic time are right, as they are on a real machine. */
export class SkewedClock implements Clock {
  readonly #inner: Clock;
  readonly #options: SkewedClockOptions;
  readonly #startedAtMs: number;

  constructor(inner: Clock, options: SkewedClockOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#startedAtMs = inner.monotonicMs();
  }

  nowMs(): number {
    const { skewMs, jumpAfterMs = Infinity, jumpMs = 0 } = this.#options;
    const hasJumped = this.#inner.monotonicMs() - this.#startedAtMs >= jumpAfterMs;
    return this.#inner.nowMs() + skewMs + (hasJumped ? jumpMs : 0);
  }

  monotonicMs(): number {
    return this.#inner.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    return this.#inner.setTimer(delayMs, callback);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#inner.sleep(delayMs, signal);
  }
}
