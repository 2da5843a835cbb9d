import { describe, expect, it } from 'vitest';
import { TestClock } from './test-clock.ts';

describe('TestClock', () => {
  it('stands still until it is moved', () => {
    const clock = new TestClock(100);
    clock.advance(5);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([105, 105]);
    expect(() => clock.advance(-1)).toThrow(/only moves forward/);
  });

  it('fires timers at their own time, in order, also those set on the way', () => {
    const clock = new TestClock();
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name}@${clock.nowMs()}`);
    clock.setTimer(20, note('late'));
    clock.setTimer(10, () => {
      note('early')();
      clock.setTimer(5, note('nested'));
    });
    clock.setTimer(30, note('not yet'));
    const cancel = clock.setTimer(12, note('cancelled'));
    cancel();
    clock.advance(25);
    expect(fired).toEqual(['early@10', 'nested@15', 'late@20']);
    expect([clock.nowMs(), clock.pendingTimers]).toEqual([25, 1]);
  });

  it('ends a sleep when the time has come, or with the signal', async () => {
    const clock = new TestClock();
    const slept = clock.sleep(10);
    clock.advance(10);
    await slept;
    const controller = new AbortController();
    const cancelled = clock.sleep(10, controller.signal);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(clock.sleep(1, controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(clock.pendingTimers).toBe(0);
  });
});
