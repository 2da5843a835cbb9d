import type { Cancel, Random } from '@millrace/core';
import { EventQueue, type QueuedEvent } from './event-queue.ts';
import type { Trace } from './trace.ts';

/** Whose event it is: the dead have none any more, those that are paused have theirs later. */
export interface EventOwner {
  readonly name: string;
  readonly isAlive: boolean;
  /** Takes an event that cannot happen now, and what it is. */
  hold: ((event: () => void, what: string) => void) | undefined;
  /** Called right before an event, with what it is: it may end or pause its owner. */
  beforeEvent?: ((what: string) => void) | undefined;
}

interface Scheduled extends QueuedEvent {
  readonly owner: EventOwner;
  readonly what: string;
  readonly bytes: Uint8Array | undefined;
  happen: (() => void) | undefined;
}

/** Virtual time runs from here, so that time stamps look like time stamps. */
export const EPOCH_MS = 1_750_000_000_000;

/**
 * Virtual time and all that happens in it: the next event is always the earliest one, of several at the same moment the one that
 * the seed says. Between two events everything settles that needs neither time nor anything from outside: promises and
 * `process.nextTick`.
 */
export class Scheduler {
  readonly #queue = new EventQueue<Scheduled>();
  readonly #random: Random;
  readonly #trace: Trace;
  #nowMs = 0;

  constructor(random: Random, trace: Trace) {
    this.#random = random;
    this.#trace = trace;
  }

  /** Since the beginning, with fractions. */
  get nowMs(): number {
    return this.#nowMs;
  }

  schedule(owner: EventOwner, delayMs: number, what: string, happen: () => void, bytes?: Uint8Array): Cancel {
    const event: Scheduled = { dueMs: this.#nowMs + Math.max(0, delayMs), tie: this.#random.next(), owner, what, bytes, happen };
    this.#queue.push(event);
    return () => {
      event.happen = undefined;
    };
  }

  /**
   * Lets things happen until the promise has settled.
   *
   * @param limitMs of virtual time
   * @throws Error when the time is over or nothing is left that could happen
   */
  async run<T>(until: Promise<T>, limitMs: number): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    until.then(settle, settle);
    await settled();
    const endMs = this.#nowMs + limitMs;
    while (!isSettled) {
      if (!this.#next()) throw new Error('the simulation stands still: nothing is left that could happen');
      if (this.#nowMs > endMs) throw new Error(`the simulation is not over after ${Math.round(limitMs)} ms of virtual time`);
      await settled();
    }
    return until;
  }

  /** @returns false when there is nothing */
  #next(): boolean {
    for (let event = this.#queue.pop(); event !== undefined; event = this.#queue.pop()) {
      const { owner, happen } = event;
      if (happen === undefined || !owner.isAlive) continue;
      this.#nowMs = event.dueMs;
      if (owner.hold === undefined) owner.beforeEvent?.(event.what);
      if (!owner.isAlive) continue;
      if (owner.hold !== undefined) {
        const held = event;
        // Cancelled meanwhile, it does not happen later either.
        owner.hold(() => held.happen?.(), event.what);
        continue;
      }
      event.happen = undefined;
      this.#trace.note(event.dueMs, `${owner.name} ${event.what}`, event.bytes);
      happen();
      return true;
    }
    return false;
  }
}

/** Lets everything happen that needs no event. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
