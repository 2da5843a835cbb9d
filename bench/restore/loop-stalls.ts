import { readFileSync } from 'node:fs';

/**
 * Measures how long the loop stands still: between two turns of a timer, in CPU time of this thread, so that what other programs
 * take of the machine does not count. Where the system does not tell, in elapsed time.
 */
export class LoopStalls {
  readonly #stallsMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;

  start(): void {
    this.#lastMs = cpuMs();
    this.#timer = setInterval(() => {
      const now = cpuMs();
      this.#stallsMs.push(now - this.#lastMs);
      this.#lastMs = cpuMs();
    }, 1);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stallsMs.sort((a, b) => a - b);
  }

  at(share: number): number {
    const index = Math.min(this.#stallsMs.length - 1, Math.floor(share * this.#stallsMs.length));
    return Math.round((this.#stallsMs[index] ?? 0) * 100) / 100;
  }
}

/** CPU time of the main thread. */
function cpuMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}
