import type { Cancel, Clock } from '@millrace/core';

export interface SkewedClockOptions {
  /** Unit ms. */
  readonly skewMs: number;
  /** By how much the wall clock jumps when it is told to. */
  readonly jumpMs?: number;
}

/** A clock whose wall time is wrong, and jumps; timers and monotonic time are right, as they are on a real machine. */
export class SkewedClock implements Clock {
  readonly #inner: Clock;
  readonly #jumpMs: number;
  #skewMs: number;

  constructor(inner: Clock, { skewMs, jumpMs = 0 }: SkewedClockOptions) {
    this.#inner = inner;
    this.#skewMs = skewMs;
    this.#jumpMs = jumpMs;
  }

  /** From here on it is wrong by so much more. */
  jump(): void {
    this.#skewMs += this.#jumpMs;
  }

  nowMs(): number {
    return this.#inner.nowMs() + this.#skewMs;
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
