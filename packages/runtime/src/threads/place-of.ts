import type { Clock } from '@millrace/core';
import type { ThreadPlace } from '../app/streams-application.ts';
import type { ThreadOrders } from './thread-messages.ts';
import { LoopPulse } from '../loop-watch/loop-pulse.ts';

/** How often a thread shows that its event loop turns. */
const BEAT_MS = 50;

/** Where an application stands that is one thread of a process; its pulse begins to beat. */
export function placeOf({ thread, directory, asksForShutdown, pulse: memory }: ThreadOrders, clock: Clock): ThreadPlace {
  const pulse = new LoopPulse(memory);
  pulse.keepBeating(clock, BEAT_MS);
  return { thread, directory, asksForShutdown, onTurn: (task) => pulse.turn(task) };
}
