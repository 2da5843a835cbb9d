import { describe, expect, it } from 'vitest';
import { durationMs, type Duration } from './duration.ts';

describe('durationMs', () => {
  it.each([
    [250, 250],
    ['10 minutes', 600_000],
    ['1 h', 3_600_000],
    ['1.5 s', 1500],
    ['2d', 172_800_000],
  ] as const)('reads %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', 'ten minutes', '5 parsecs', '-1 s', '1 constructor', Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'refuses %s and names the option',
    (text) => {
      expect(() => durationMs(text as Duration, 'grace')).toThrow(/^grace: .*milliseconds ≥ 0/);
    },
  );
});
