import { CancelledError, type Cancel, type Clock } from '@millrace/core';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. Wall clock and monotonic time are the same.
 *
 * @example
 * const clock = new TestClock();
 * clock.setTimer(100, () => flush());
 * clock.advance(100); // flush() has run
 */
export class TestClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  /** @param startMs milliseconds since the epoch · default 0 */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new CancelledError());
      const cancel = this.setTimer(delayMs, () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      function aborted(): void {
        cancel();
        reject(new CancelledError());
      }
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** How many timers and sleeps are waiting. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due; Infinity when there is none. */
  get nextTimerMs(): number {
    return this.#nextDue(Infinity)?.dueMs ?? Infinity;
  }

  /**
   * Moves time forward. Timers that become due fire on the way, each at its own time, in the order of their times; also those
   * that are set meanwhile.
   *
   * @param ms ≥ 0
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time only moves forward; ${ms} ms is not possible`);
    const until = this.#nowMs + ms;
    for (let timer = this.#nextDue(until); timer !== undefined; timer = this.#nextDue(until)) {
      this.#timers.delete(timer);
      this.#nowMs = timer.dueMs;
      timer.callback();
    }
    this.#nowMs = until;
  }

  /** Of timers with the same time the one set first. */
  #nextDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= until && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}
