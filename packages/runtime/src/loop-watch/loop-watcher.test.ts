import { describe, expect, it } from 'vitest';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { LoopPulse } from './loop-pulse.ts';
import { type LoopWatchOrders, watchLoop } from './loop-watcher.ts';

describe('watchLoop', () => {
  it('shows the watcher that the loop turns, several times in a stall time, and which task has its turn, until it is stopped', async () => {
    const clock = new ManualClock();
    let orders: LoopWatchOrders | undefined;
    let isWatched = false;
    const watcher = {
      watch: (given: LoopWatchOrders) => {
        orders = given;
        isWatched = true;
        return () => {
          isWatched = false;
        };
      },
    };
    const watch = watchLoop(watcher, { applicationId: 'checkout', stallMs: 400 }, clock);
    expect(orders).toMatchObject({ applicationId: 'checkout', stallMs: 400 });
    const pulse = new LoopPulse(orders?.pulse ?? LoopPulse.memory());
    expect(pulse.beats).toBe(1);
    await clock.advance(400);
    expect(pulse.beats).toBe(5);
    watch.onTurn({ subtopology: 2, partition: 7 });
    expect(pulse.task).toEqual({ subtopology: 2, partition: 7 });
    watch.onTurn(undefined);
    expect(pulse.task).toBeUndefined();
    watch.stop();
    await clock.advance(400);
    expect([isWatched, pulse.beats]).toEqual([false, 5]);
  });
});
