import type { Cancel, Clock, TaskId } from '@millrace/core';
import { LoopPulse } from './loop-pulse.ts';

/** How often a watched loop beats at least, while it turns. */
const BEAT_MS = 250;

/** What a watcher has to know. */
export interface LoopWatchOrders {
  readonly applicationId: string;
  /** Memory of a `LoopPulse`. */
  readonly pulse: SharedArrayBuffer;
  /** After how long without a turn the loop counts as stalled. Unit ms. */
  readonly stallMs: number;
}

/** Watches an event loop from outside of it, and reports stalls where the loop's own code cannot. */
export interface LoopWatcher {
  /** @returns ends the watch */
  watch(orders: LoopWatchOrders): Cancel;
}

/** A loop's own end of the watch. */
export interface LoopWatch {
  /** A task gets its turn; `undefined`: none has it. */
  readonly onTurn: (task: TaskId | undefined) => void;
  readonly stop: Cancel;
}

/** Has the loop that this code runs in watched. */
export function watchLoop(watcher: LoopWatcher, orders: Omit<LoopWatchOrders, 'pulse'>, clock: Clock): LoopWatch {
  const memory = LoopPulse.memory();
  const pulse = new LoopPulse(memory);
  const stopBeating = pulse.keepBeating(clock, Math.min(BEAT_MS, orders.stallMs / 4));
  const stopWatching = watcher.watch({ ...orders, pulse: memory });
  return {
    onTurn: (task) => pulse.turn(task),
    stop: () => {
      stopBeating();
      stopWatching();
    },
  };
}
