import { expect } from 'vitest';
import { shareTasks } from './shared-work.ts';
import { STEADY, type TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

/** A machine that stands still for a moment prolongs one of them; a wait of the workers prolongs each. */
const HAND_OVERS_MAX = 5;

/** Two workers that share all tasks: the one that is told to stop, and the one that is to have its tasks. */
export interface Pair {
  readonly stops: Worker;
  readonly stays: Worker;
}

/** How long a hand-over took, and what it has to stay below. */
export interface HandOver {
  readonly ms: number;
  readonly belowMs: number;
}

/**
 * Stops one of two workers by SIGTERM, and then one more of two, until a hand-over was quick or there were enough of them. From
 * the signal until the other one has opened the tasks it may take so long, or on a slow machine as long as that one had taken from its
 * start to its first task: it joins the group once, too, and has more to do.
 *
 * @returns the one that is left, with all tasks, and the last hand-over
 */
export async function quickHandOver(
  application: TestApplication,
  partitions: number,
  pair: Pair,
  quickMs: number,
): Promise<HandOver & { readonly left: Worker }> {
  let { stops, stays } = pair;
  let last = await handOver(application, partitions, pair, quickMs);
  for (let count = 1; last.ms >= last.belowMs && count < HAND_OVERS_MAX; count++) {
    [stops, stays] = [stays, application.worker(STEADY)];
    await shareTasks(partitions, [stops, stays]);
    last = await handOver(application, partitions, { stops, stays }, quickMs);
  }
  return { ...last, left: stays };
}

async function handOver(
  application: TestApplication,
  partitions: number,
  { stops, stays }: Pair,
  quickMs: number,
): Promise<HandOver> {
  const stopped = stops.stop();
  await shareTasks(partitions, [stays]);
  expect(await stopped, stops.output).toEqual({ code: 0, signal: null });
  const askedAtMs = stops.events.find(({ state }) => state === 'pending-shutdown')?.atMs ?? 0;
  const opened = stays.events.filter(({ change, atMs }) => change === 'opened' && atMs > askedAtMs);
  expect(opened, application.log).toHaveLength(partitions / 2);
  return {
    ms: Math.max(...opened.map(({ atMs }) => atMs)) - askedAtMs,
    belowMs: Math.max(quickMs, untilFirstTask(stays)),
  };
}

function untilFirstTask({ events }: Worker): number {
  const first = events.find(({ change }) => change === 'opened');
  return (first?.atMs ?? 0) - (events[0]?.atMs ?? 0);
}
