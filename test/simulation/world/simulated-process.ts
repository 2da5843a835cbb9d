import { CancelledError, type Cancel, type Clock, type Random } from '@millrace/core';
import { awaitPlace } from './await-place.ts';
import { EPOCH_MS, type EventOwner, type Scheduler } from './scheduler.ts';

/** What an event costs at least: time goes on also where nobody waits. */
const COST_MAX_MS = 0.2;
/** Keeps the order of what was held up. */
const HELD_STEP_MS = 0.001;

/**
 * A process of the simulation: its clock, and whether it lives. When it is killed nothing happens in it any more, whatever it
 * was waiting for; when it is paused everything happens later.
 */
export class SimulatedProcess implements EventOwner {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  hold: EventOwner['hold'];
  /** While it is there, events say in which place of the code somebody waits for them. */
  beforeEvent: EventOwner['beforeEvent'];
  readonly #scheduler: Scheduler;
  readonly #bootMs: number;
  readonly #held: { readonly event: () => void; readonly what: string }[] = [];
  #isAlive = true;
  #skewMs = 0;
  #sleeping = 0;

  constructor(name: string, scheduler: Scheduler, random: Random) {
    this.name = name;
    this.random = random;
    this.#scheduler = scheduler;
    this.#bootMs = scheduler.nowMs;
    this.clock = this.#createClock();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Sleeps that keep the process from ending. */
  get sleeping(): number {
    return this.#sleeping;
  }

  /** Ends the process as SIGKILL does. */
  kill(): void {
    this.#isAlive = false;
    this.#held.length = 0;
  }

  /** Stops the process as SIGSTOP does. */
  pause(): void {
    this.hold = (event, what) => void this.#held.push({ event, what });
  }

  /** Goes on: what should have happened meanwhile happens now, in its order. */
  resume(): void {
    this.hold = undefined;
    for (const [index, { event, what }] of this.#held.splice(0).entries())
      this.#scheduler.schedule(this, index * HELD_STEP_MS, what, event);
  }

  /** Sets the wall clock forward or back; the time that never goes back knows nothing of it. */
  jump(byMs: number): void {
    this.#skewMs += byMs;
  }

  after(delayMs: number, what: string, happen: () => void): Cancel {
    const place = this.beforeEvent === undefined ? what : `${what} in ${awaitPlace()}`;
    return this.#scheduler.schedule(this, delayMs, place, happen);
  }

  /** A random delay up to `maxMs`, mostly far shorter. */
  delay(maxMs: number): number {
    return maxMs * this.random.next() ** 4;
  }

  #createClock(): Clock {
    const later = (delayMs: number, what: string, happen: () => void): Cancel =>
      this.after(Math.max(0, delayMs) + COST_MAX_MS * this.random.next(), what, happen);
    return {
      nowMs: () => Math.floor(EPOCH_MS + this.#scheduler.nowMs + this.#skewMs),
      monotonicMs: () => this.#scheduler.nowMs - this.#bootMs,
      setTimer: (delayMs, callback) => later(delayMs, 'timer', callback),
      sleep: (delayMs, signal) => this.#sleep(later, delayMs, signal),
    };
  }

  #sleep(later: SimulatedProcess['after'], delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new CancelledError());
      this.#sleeping++;
      const cancel = later(delayMs, 'sleep', () => {
        this.#sleeping--;
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      const aborted = (): void => {
        this.#sleeping--;
        cancel();
        reject(new CancelledError());
      };
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }
}
