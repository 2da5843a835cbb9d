import type { Cancel, Clock } from '@millrace/core';
import type { LoopPulse } from './loop-pulse.ts';
import type { Stall } from './stall.ts';

/** Looks in one stall time. */
const LOOKS = 4;

/** A loop that is watched. */
export interface WatchedLoop {
  /** Of a process with several. */
  readonly thread?: number;
  readonly pulse: LoopPulse;
}

export interface StallWatchdogOptions {
  readonly clock: Clock;
  /** After this time without a turn a loop counts as stalled: its membership is in danger. 0: never. Unit ms. */
  readonly stallMs: number;
  readonly loops: () => Iterable<WatchedLoop>;
  /** Called once per stall, while it lasts. */
  readonly onStall: (stall: Stall) => void;
  /** Called when a stall that was told of is over. */
  readonly onRecovery: (stall: Stall) => void;
}

interface Seen {
  readonly beats: number;
  readonly sinceMs: number;
  /** What was told. */
  readonly stall: Stall | undefined;
}

/**
 * Looks from another thread whether event loops turn, and says which task has the turn in one that does not. User code that
 * computes for long, or waits synchronously, stops the heartbeats of its loop: after the session timeout the group gives its
 * tasks to others.
 */
export class StallWatchdog {
  readonly #options: StallWatchdogOptions;
  #seen = new Map<LoopPulse, Seen>();
  #lookedMs = 0;
  #cancel: Cancel = () => undefined;

  constructor(options: StallWatchdogOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, stallMs } = this.#options;
    if (stallMs === 0) return;
    this.#look();
    this.#cancel = clock.setTimer(Math.max(1, stallMs / LOOKS), () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, loops, stallMs } = this.#options;
    const now = clock.monotonicMs();
    // This thread did not turn either: the whole process was stopped, or had no processor, which is no fault of its code.
    const wasAway = now - this.#lookedMs > (2 * stallMs) / LOOKS;
    this.#lookedMs = now;
    const seen = new Map<LoopPulse, Seen>();
    for (const loop of loops()) {
      const { pulse } = loop;
      const before = this.#seen.get(pulse);
      const { beats } = pulse;
      // Before the first beat it loads its module.
      if (beats === 0) continue;
      const stands = before?.beats === beats;
      if (stands && (before.stall !== undefined || !wasAway)) seen.set(pulse, this.#stillAt(loop, before, now));
      else {
        if (before?.stall !== undefined) this.#goesOn(before.stall, now - before.sinceMs);
        seen.set(pulse, { beats, sinceMs: now, stall: undefined });
      }
    }
    this.#seen = seen;
  }

  #stillAt({ thread, pulse }: WatchedLoop, seen: Seen, nowMs: number): Seen {
    const forMs = Math.round(nowMs - seen.sinceMs);
    if (seen.stall !== undefined || forMs <= this.#options.stallMs) return seen;
    const stall: Stall = { thread, forMs, task: pulse.task };
    this.#options.onStall(stall);
    return { ...seen, stall };
  }

  #goesOn(stall: Stall, forMs: number): void {
    this.#options.onRecovery({ ...stall, forMs: Math.round(forMs) });
  }
}
