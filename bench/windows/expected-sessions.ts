import { type Expected, type Figures, StreamTimes } from './expected.ts';

interface Session {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly last: number;
}

/** Sessions per key, and which sessions have become part of another one. */
export class ExpectedSessions implements Expected {
  readonly deleted = new Set<string>();
  dropped = 0;
  readonly #gapMs: number;
  readonly #graceMs: number;
  readonly #times = new StreamTimes();
  readonly #sessions = new Map<string, readonly Session[]>();

  constructor(gapMs: number, graceMs: number) {
    this.#gapMs = gapMs;
    this.#graceMs = graceMs;
  }

  add(key: string, value: string, timestamp: number, partition: number): void {
    const { seq } = JSON.parse(value) as { readonly seq: number };
    const streamTime = this.#times.advance(partition, timestamp);
    const all = this.#sessions.get(key) ?? [];
    const near = all.filter(({ start, end }) => start - this.#gapMs <= timestamp && timestamp <= end + this.#gapMs);
    const merged: Session = {
      start: Math.min(timestamp, ...near.map(({ start }) => start)),
      end: Math.max(timestamp, ...near.map(({ end }) => end)),
      count: near.reduce((before, { count }) => before + count, 1),
      last: Math.max(seq, ...near.map(({ last }) => last)),
    };
    if (merged.end < streamTime - this.#gapMs - this.#graceMs) {
      this.dropped++;
      return;
    }
    this.#sessions.set(key, [...all.filter((one) => !near.includes(one)), merged]);
    for (const one of near) this.deleted.add(outputKey(key, one));
    this.deleted.delete(outputKey(key, merged));
  }

  values(): Map<string, Figures> {
    const values = new Map<string, Figures>();
    for (const [key, sessions] of this.#sessions) {
      for (const session of sessions) values.set(outputKey(key, session), { count: session.count, last: session.last });
    }
    return values;
  }
}

function outputKey(key: string, { start, end }: Session): string {
  return `${key}@${start}-${end}`;
}
