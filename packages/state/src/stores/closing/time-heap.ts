/** Numbers, the lowest first: a binary heap. */
export class TimeHeap {
  readonly #times: number[] = [];

  /** The lowest number; Infinity when there is none. */
  get first(): number {
    return this.#times[0] ?? Infinity;
  }

  add(time: number): void {
    const times = this.#times;
    let at = times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = times[parent] as number;
      if (above <= time) break;
      times[at] = above;
      at = parent;
    }
    times[at] = time;
  }

  removeFirst(): void {
    const times = this.#times;
    const last = times.pop();
    if (last === undefined || times.length === 0) return;
    let at = 0;
    for (let child = 1; child < times.length; child = 2 * at + 1) {
      if (child + 1 < times.length && (times[child + 1] as number) < (times[child] as number)) child++;
      if ((times[child] as number) >= last) break;
      times[at] = times[child] as number;
      at = child;
    }
    times[at] = last;
  }

  clear(): void {
    this.#times.length = 0;
  }
}
