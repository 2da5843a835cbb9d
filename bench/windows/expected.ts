/** What an output topic must say in the end, recomputed naively from its input. */
export interface Expected {
  /** Takes in the next record of a partition; records of a partition come in order. */
  add(key: string, value: string, timestamp: number, partition: number): void;
  /** Records that were too late for some window. */
  readonly dropped: number;
  /** Every output key that must have a value, with it. */
  values(): Map<string, Figures>;
  /** Keys that may have been written, but whose last record must then be a tombstone. */
  readonly deleted: ReadonlySet<string>;
}

/** The fields of an output value. */
export type Figures = Readonly<{ [name: string]: number }>;

/** The highest timestamp of each partition so far: what an operator in the task of that partition takes for the time. */
export class StreamTimes {
  readonly #times = new Map<number, number>();

  /** The stream time once a record has been seen. */
  advance(partition: number, timestamp: number): number {
    const time = Math.max(timestamp, this.#times.get(partition) ?? -1);
    this.#times.set(partition, time);
    return time;
  }
}
