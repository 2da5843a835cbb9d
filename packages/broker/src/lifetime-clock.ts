import type { Cancel, Clock } from '@millrace/core';

/**
 * The clock of a broker as long as it lives: its timers end with it.
 *
 * Why: the session of a member that runs out after the broker was stopped would write to files that may belong to its successor.
 */
export class LifetimeClock implements Clock {
  readonly #clock: Clock;
  readonly #cancels = new Set<Cancel>();
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    if (this.#isOver) return () => undefined;
    const cancelTimer = this.#clock.setTimer(delayMs, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    const cancel = (): void => {
      this.#cancels.delete(cancel);
      cancelTimer();
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(delayMs, signal);
  }

  /** Cancels all timers; no new one will call back. */
  end(): void {
    this.#isOver = true;
    for (const cancel of [...this.#cancels]) cancel();
  }
}
