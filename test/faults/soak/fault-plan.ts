import type { Random } from '@millrace/core';

/** Never killed nor stopped: its memory is one series from the beginning to the end. */
export const SPARED = 'a';
/** There from the beginning, and may be killed and stopped. */
export const MORTALS = ['b', 'c'] as const;
/** Comes for a while, and goes. */
export const GUEST = 'd';

/** Answers whose loss leaves it open whether the request was applied. */
const ANSWERS = ['Produce', 'TxnOffsetCommit', 'EndTxn', 'Heartbeat', 'Fetch'] as const;

/** One thing that goes wrong, and how. Times in ms; the numbers of the fault table stand beside. */
export type Fault =
  /** F1 */
  | { readonly kind: 'kill'; readonly seat: string; readonly awayMs: number }
  /** F3 */
  | { readonly kind: 'pause'; readonly seat: string; readonly forMs: number }
  /** F6 */
  | { readonly kind: 'broker'; readonly downMs: number }
  /** F9 */
  | { readonly kind: 'cuts'; readonly seat: string; readonly times: number; readonly everyMs: number }
  /** F10 */
  | { readonly kind: 'lost-answer'; readonly seat: string; readonly api: string; readonly action: 'cut' | 'swallow' }
  /** F12 */
  | { readonly kind: 'delay'; readonly seat: string; readonly latencyMs: number; readonly forMs: number }
  /** F40 */
  | { readonly kind: 'scale-in'; readonly seat: string; readonly awayMs: number }
  | { readonly kind: 'scale-out'; readonly seat: string; readonly forMs: number };

export type FaultKind = Fault['kind'];

/** Faults that happen together, and how long it is quiet behind them. */
export interface Round {
  readonly faults: readonly Fault[];
  readonly quietMs: number;
}

const KINDS: readonly FaultKind[] = ['kill', 'pause', 'broker', 'cuts', 'lost-answer', 'delay', 'scale-in', 'scale-out'];
const SECOND_FAULT_CHANCE = 0.35;

/**
 * Faults without end, from a seed. Kinds come shuffled, each once before any comes again, so that a short run has all of them
 * too; about every third round has two, which never hit the same worker.
 */
export class FaultPlan {
  readonly #random: Random;
  readonly #sessionMs: number;
  readonly #kinds: readonly FaultKind[];
  #bag: FaultKind[] = [];

  /**
   * @param sessionMs how long a worker may be silent until the others take its tasks
   * @param without kinds that cannot be brought about
   */
  constructor(random: Random, sessionMs: number, without: readonly FaultKind[] = []) {
    this.#random = random;
    this.#sessionMs = sessionMs;
    this.#kinds = KINDS.filter((kind) => !without.includes(kind));
  }

  next(): Round {
    const faults: Fault[] = [this.#fault([])];
    if (this.#random.next() < SECOND_FAULT_CHANCE) faults.push(this.#fault(faults));
    return { faults, quietMs: this.#between(3000, 12_000) };
  }

  #fault(others: readonly Fault[]): Fault {
    const kind = this.#draw();
    const taken = others.map((fault) => ('seat' in fault ? fault.seat : undefined));
    const mortal = this.#pick(MORTALS.filter((seat) => !taken.includes(seat)));
    const seat = this.#pick([SPARED, ...MORTALS].filter((one) => !taken.includes(one)));
    switch (kind) {
      case 'kill':
        return { kind, seat: mortal, awayMs: this.#between(0, 1.5 * this.#sessionMs) };
      case 'pause':
        return { kind, seat, forMs: this.#between(1.2 * this.#sessionMs, 2.5 * this.#sessionMs) };
      case 'broker':
        return { kind, downMs: this.#between(100, 3000) };
      case 'cuts':
        return { kind, seat, times: this.#between(5, 25), everyMs: this.#between(20, 300) };
      case 'lost-answer':
        return { kind, seat, api: this.#pick(ANSWERS), action: this.#pick(['cut', 'swallow'] as const) };
      case 'delay':
        return { kind, seat, latencyMs: this.#between(50, 300), forMs: this.#between(2000, 8000) };
      case 'scale-in':
        return { kind, seat: mortal, awayMs: this.#between(1000, 6000) };
      case 'scale-out':
        return { kind, seat: GUEST, forMs: this.#between(4000, 10_000) };
    }
  }

  #draw(): FaultKind {
    if (this.#bag.length === 0) this.#bag = [...this.#kinds];
    return this.#bag.splice(Math.floor(this.#random.next() * this.#bag.length), 1)[0] as FaultKind;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random.next() * from.length)] as T;
  }

  #between(least: number, most: number): number {
    return Math.round(least + this.#random.next() * (most - least));
  }
}

/** A fault in a few words. */
export function describeFault({ kind, ...details }: Fault): string {
  return [kind, ...Object.entries(details).map(([name, value]) => (name === 'seat' ? value : `${name} ${value}`))].join(' ');
}
