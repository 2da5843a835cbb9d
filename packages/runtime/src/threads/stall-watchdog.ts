import { type Cancel, type Clock, formatTaskId, type Logger } from '@millrace/core';
import type { ThreadPulse } from './thread-pulse.ts';

/** A thread that is watched. */
export interface WatchedThread {
  readonly thread: number;
  readonly pulse: ThreadPulse;
}

export interface StallWatchdogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** After this time without a turn of the loop a thread counts as stalled: its membership is in danger. */
  readonly stallMs: number;
  readonly threads: () => Iterable<WatchedThread>;
}

interface Seen {
  readonly beats: number;
  readonly sinceMs: number;
  /** The warning was given. */
  isStalled: boolean;
}

/**
 * Looks from the main thread whether the event loops of the threads turn, and says which task has the turn in one that does not.
 * User code that computes for long, or waits synchronously, stops the heartbeats of its thread: after the session timeout the
 * group gives its tasks to others.
 */
export class StallWatchdog {
  readonly #options: StallWatchdogOptions;
  #seen = new Map<ThreadPulse, Seen>();
  #cancel: Cancel = () => undefined;

  constructor(options: StallWatchdogOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, stallMs } = this.#options;
    this.#look();
    this.#cancel = clock.setTimer(Math.max(1, stallMs / 4), () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, threads } = this.#options;
    const now = clock.monotonicMs();
    const seen = new Map<ThreadPulse, Seen>();
    for (const watched of threads()) {
      const { pulse } = watched;
      const before = this.#seen.get(pulse);
      const { beats } = pulse;
      // Before the first beat it loads its module.
      if (beats === 0) continue;
      if (before?.beats === beats) seen.set(pulse, this.#stillAt(watched, before, now));
      else {
        if (before?.isStalled === true) this.#goesOn(watched.thread, now - before.sinceMs);
        seen.set(pulse, { beats, sinceMs: now, isStalled: false });
      }
    }
    this.#seen = seen;
  }

  #stillAt({ thread, pulse }: WatchedThread, seen: Seen, nowMs: number): Seen {
    const forMs = Math.round(nowMs - seen.sinceMs);
    if (seen.isStalled || forMs <= this.#options.stallMs) return seen;
    const { task } = pulse;
    this.#options.logger.warn(
      'the event loop of a thread does not turn: it cannot send heartbeats, and loses its tasks at the session timeout; look for code that computes for long or waits synchronously',
      { thread, forMs, ...(task === undefined ? {} : { taskId: formatTaskId(task) }) },
    );
    return { ...seen, isStalled: true };
  }

  #goesOn(thread: number, forMs: number): void {
    this.#options.logger.warn('the event loop of a thread turns again', { thread, stalledForMs: Math.round(forMs) });
  }
}
