import { describe, expect, it } from 'vitest';
import { RateMeter } from './rate-meter.ts';

describe('RateMeter', () => {
  it('has no rate before a second reading', () => {
    expect(new RateMeter().read(500, 1000)).toBe(0);
  });

  it('gives the rate over the time between readings', () => {
    const meter = new RateMeter();
    meter.read(0, 0);
    expect(meter.read(500, 500)).toBe(1000);
    expect(meter.read(500, 1000)).toBe(500);
  });

  it('forgets what lies further back than five seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 10; second++) meter.read(second * 100, second * 1000);
    expect(meter.read(2000, 15_000)).toBe(200);
    expect(meter.read(2000, 20_000)).toBe(0);
  });
});
