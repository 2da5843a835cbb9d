import type { Cancel, Clock } from '@millrace/core';

/** What has to be done every now and then, until it is stopped. */
export class Chores {
  readonly #clock: Clock;
  readonly #cancels = new Set<Cancel>();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does it again and again, each time so long after the last time was over. */
  every(intervalMs: number, chore: () => void): void {
    const cancel = this.#clock.setTimer(intervalMs, () => {
      this.#cancels.delete(cancel);
      chore();
      if (!this.#isStopped) this.every(intervalMs, chore);
    });
    this.#cancels.add(cancel);
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}
