import type { Clock } from '@millrace/core';
import type { ThreadPlace } from '../app/streams-application.ts';
import type { ThreadOrders } from './thread-messages.ts';
import { ThreadPulse } from './thread-pulse.ts';

/** How often a thread shows that its event loop turns. */
const BEAT_MS = 50;

/** Where an application stands that is one thread of a process; its pulse begins to beat. */
export function placeOf({ thread, directory, asksForShutdown, pulse: memory }: ThreadOrders, clock: Clock): ThreadPlace {
  const pulse = new ThreadPulse(memory);
  beat(pulse, clock);
  return { thread, directory, asksForShutdown, onTurn: (task) => pulse.turn(task) };
}

/** As long as the thread lives. */
function beat(pulse: ThreadPulse, clock: Clock): void {
  pulse.beat();
  clock.setTimer(BEAT_MS, () => beat(pulse, clock));
}
