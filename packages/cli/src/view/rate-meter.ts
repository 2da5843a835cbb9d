/** How far back a rate looks. Long enough for a steady figure, short enough to follow a change. */
const WINDOW_MS = 5000;

interface Reading {
  readonly atMs: number;
  readonly total: number;
}

/** The rate of a growing total over the last five seconds, from readings taken now and then. */
export class RateMeter {
  readonly #readings: Reading[] = [];

  /**
   * Takes a reading and gives the rate per second.
   *
   * @param atMs a monotonic time
   */
  read(total: number, atMs: number): number {
    this.#readings.push({ atMs, total });
    // The oldest reading kept is the last one at or before the start of the window.
    while (this.#readings.length > 2 && (this.#readings[1] as Reading).atMs <= atMs - WINDOW_MS) this.#readings.shift();
    const first = this.#readings[0] as Reading;
    const elapsedMs = atMs - first.atMs;
    return elapsedMs <= 0 ? 0 : ((total - first.total) / elapsedMs) * 1000;
  }
}
