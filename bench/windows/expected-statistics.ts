import { type Expected, type Figures, StreamTimes } from './expected.ts';

/** Statistics per sensor and hopping window: keeps every reading of every window, and computes in two passes at the end. */
export class ExpectedStatistics implements Expected {
  readonly deleted: ReadonlySet<string> = new Set();
  dropped = 0;
  readonly #sizeMs: number;
  readonly #advanceMs: number;
  readonly #times = new StreamTimes();
  readonly #readings = new Map<string, number[]>();

  constructor(sizeMs: number, advanceMs: number) {
    this.#sizeMs = sizeMs;
    this.#advanceMs = advanceMs;
  }

  add(key: string, value: string, timestamp: number, partition: number): void {
    const { valueInW } = JSON.parse(value) as { readonly valueInW: number };
    const streamTime = this.#times.advance(partition, timestamp);
    const lastStart = timestamp - (timestamp % this.#advanceMs);
    for (let start = lastStart; start >= 0 && start + this.#sizeMs > timestamp; start -= this.#advanceMs) {
      if (streamTime < start + this.#sizeMs) this.#add(`${key}@${start}`, valueInW);
      else this.dropped++;
    }
  }

  #add(window: string, reading: number): void {
    const readings = this.#readings.get(window);
    if (readings === undefined) this.#readings.set(window, [reading]);
    else readings.push(reading);
  }

  values(): Map<string, Figures> {
    return new Map(Array.from(this.#readings, ([window, readings]) => [window, statistics(readings)]));
  }
}

function statistics(readings: readonly number[]): Figures {
  const count = readings.length;
  const sum = readings.reduce((before, one) => before + one, 0);
  const mean = sum / count;
  const m2 = readings.reduce((before, one) => before + (one - mean) ** 2, 0);
  return { count, sum, min: Math.min(...readings), max: Math.max(...readings), mean, m2 };
}
