import type { Clock } from '@millrace/core';

/** How long what a slow record has set off may still be on its way after it has ended. Unit ms. */
const ON_ITS_WAY_MS = 1000;

/** Records that take their time, each only once: one that is too slow each time is one that nobody can process. */
export class SlowRecords {
  readonly #obeyed = new Set<string>();
  readonly #nowMs: () => number;
  #endMs = 0;

  /** @param nowMs virtual time, which no fault changes */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param order begins with how long it takes, in ms */
  obey(clock: Clock, order: string): Promise<void> | undefined {
    if (this.#obeyed.has(order)) return undefined;
    this.#obeyed.add(order);
    const forMs = Number.parseInt(order, 10);
    this.#endMs = Math.max(this.#endMs, this.#nowMs() + forMs + ON_ITS_WAY_MS);
    return clock.sleep(forMs);
  }

  /** True when nothing comes any more from a record that somebody was held up by, be it somebody who has lost it meanwhile. */
  get haveEnded(): boolean {
    return this.#nowMs() >= this.#endMs;
  }
}
