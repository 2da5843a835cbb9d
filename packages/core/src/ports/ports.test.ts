import { describe, expect, it } from 'vitest';
import { CancelledError } from '../errors.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { seededRandom } from './seeded-random.ts';
import { systemClock } from './system-clock.ts';

describe('systemClock', () => {
  it('sleeps, and wakes with a CancelledError when cancelled', async () => {
    await systemClock.sleep(1);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort();
    await expect(sleeping).rejects.toBeInstanceOf(CancelledError);
    await expect(systemClock.sleep(5, controller.signal)).rejects.toBeInstanceOf(CancelledError);
  });

  it('fires a timer once and not when it was cancelled', async () => {
    const fired: string[] = [];
    systemClock.setTimer(1, () => fired.push('kept'));
    systemClock.setTimer(1, () => fired.push('cancelled'))();
    await systemClock.sleep(20);
    expect(fired).toEqual(['kept']);
  });
});

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const take = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed).next);
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
    for (const value of take(7)) expect(value >= 0 && value < 1).toBe(true);
  });

  it('makes version 4 UUIDs', () => {
    expect(seededRandom(1).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('MetricsRegistry', () => {
  it('keeps one series per name and labels, whatever their order', () => {
    const metrics = new MetricsRegistry();
    metrics.counter('dropped', 'records', { task: '0_0', reason: 'null key' }).add(2);
    metrics.counter('dropped', 'records', { reason: 'null key', task: '0_0' }).add(1);
    metrics.counter('dropped', 'records', { reason: 'late', task: '0_0' }).add(4);
    metrics.histogram('latency', 'ms').observe(3);
    metrics.histogram('latency', 'ms').observe(5);
    expect(metrics.total('dropped')).toBe(7);
    expect(metrics.samples().map(({ name, value, count, max }) => [name, value, count, max])).toEqual([
      ['dropped', 3, 0, 0],
      ['dropped', 4, 0, 0],
      ['latency', 8, 2, 5],
    ]);
  });
});
