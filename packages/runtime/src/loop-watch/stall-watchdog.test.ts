import type { Clock, TaskId } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { LoopPulse } from './loop-pulse.ts';
import type { Stall } from './stall.ts';
import { StallWatchdog } from './stall-watchdog.ts';

const STALL_MS = 1000;
const LOOK_MS = 250;
const TASK: TaskId = { subtopology: 1, partition: 4 };

function setUp(loops: number) {
  const clock = new ManualClock();
  let awayMs = 0;
  const clockOfMachine: Clock = {
    nowMs: () => clock.nowMs() + awayMs,
    monotonicMs: () => clock.monotonicMs() + awayMs,
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    sleep: (delayMs) => clock.sleep(delayMs),
  };
  const pulses = Array.from({ length: loops }, () => new LoopPulse(LoopPulse.memory()));
  const told: (readonly [what: 'stall' | 'recovery', stall: Stall])[] = [];
  const watchdog = new StallWatchdog({
    clock: clockOfMachine,
    stallMs: STALL_MS,
    loops: () => pulses.map((pulse, index) => ({ thread: index + 1, pulse })),
    onStall: (stall) => told.push(['stall', stall]),
    onRecovery: (stall) => told.push(['recovery', stall]),
  });
  const pass = async (ms: number, beating: readonly (LoopPulse | undefined)[] = []): Promise<void> => {
    for (let at = 0; at < ms; at += LOOK_MS) {
      for (const pulse of beating) pulse?.beat();
      await clock.advance(LOOK_MS);
    }
  };
  /** Time passes in which nothing of the process runs; timers that are due since then fire once. */
  const away = (ms: number): void => {
    awayMs += ms;
  };
  return { clock, pulses, told, watchdog, pass, away };
}

describe('StallWatchdog', () => {
  it('tells once of a loop that stands still, with the task that has the turn, and how long it was when it goes on', async () => {
    const { pulses, told, watchdog, pass } = setUp(3);
    // The third one has not begun.
    const [stalled, healthy] = pulses;
    stalled?.beat();
    healthy?.beat();
    watchdog.start();
    stalled?.turn(TASK);
    await pass(STALL_MS, [healthy]);
    expect(told).toEqual([]);
    await pass(2 * STALL_MS, [healthy]);
    expect(told).toEqual([['stall', { thread: 1, forMs: 1250, task: TASK }]]);
    stalled?.turn(undefined);
    stalled?.beat();
    await pass(LOOK_MS, [healthy]);
    expect(told[1]).toEqual(['recovery', { thread: 1, forMs: 3250, task: TASK }]);
    watchdog.stop();
    await pass(3 * STALL_MS);
    expect(told).toHaveLength(2);
  });

  it('says nothing about a process that was stopped as a whole', async () => {
    const { pulses, told, watchdog, pass, away } = setUp(1);
    pulses[0]?.beat();
    watchdog.start();
    await pass(STALL_MS, pulses);
    away(60_000);
    await pass(LOOK_MS);
    await pass(STALL_MS, pulses);
    expect(told).toEqual([]);
    watchdog.stop();
  });

  it('does nothing when it is off', async () => {
    const { clock, pulses, told } = setUp(1);
    const watchdog = new StallWatchdog({
      clock,
      stallMs: 0,
      loops: () => pulses.map((pulse) => ({ pulse })),
      onStall: (stall) => told.push(['stall', stall]),
      onRecovery: (stall) => told.push(['recovery', stall]),
    });
    pulses[0]?.beat();
    watchdog.start();
    await clock.advance(60_000);
    expect(told).toEqual([]);
  });
});
