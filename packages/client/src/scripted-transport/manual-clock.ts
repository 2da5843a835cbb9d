import { CancelledError, type Cancel, type Clock } from '@millrace/core';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Turns of the microtask queue that no chain of promises in this package exceeds. */
const TURNS = 100;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new CancelledError());
      const abort = (): void => {
        cancel();
        reject(new CancelledError());
      };
      const cancel = this.setTimer(delayMs, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Lets everything run that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < TURNS; i++) await Promise.resolve();
  }

  /** Moves the time, and fires what comes due on the way, in order. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) await this.#fire(next);
    this.#nowMs = untilMs;
  }

  /** Jumps from timer to timer until the promise has settled, and returns or throws what it did. */
  async until<T>(promise: Promise<T>, forAtMostMs = 3_600_000): Promise<T> {
    let done = false;
    promise.then(
      () => (done = true),
      () => (done = true),
    );
    const givesUpAtMs = this.#nowMs + forAtMostMs;
    await this.settle();
    while (!done) {
      const next = this.#next();
      if (next === undefined || next.dueMs > givesUpAtMs) throw new Error('the promise waits for something that no timer brings');
      await this.#fire(next);
    }
    return promise;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.callback();
    await this.settle();
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    return next;
  }
}
