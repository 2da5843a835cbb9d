import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JoinWindows } from './join-windows.ts';
import { SessionWindows } from './session-windows.ts';
import { SlidingWindows } from './sliding-windows.ts';
import { TimeWindows } from './time-windows.ts';
import { UnlimitedWindows } from './unlimited-windows.ts';

function startsOf(windows: TimeWindows, timestamp: number): number[] {
  const starts: number[] = [];
  for (let start = windows.firstStart(timestamp); start <= timestamp; start += windows.advanceMs) starts.push(start);
  return starts;
}

describe('time windows', () => {
  it('tumbling windows hold each timestamp once, the end exclusive', () => {
    const windows = TimeWindows.ofSizeWithNoGrace('10 ms');
    expect([0, 9, 10, 19].map((timestamp) => startsOf(windows, timestamp))).toEqual([[0], [0], [10], [10]]);
  });

  it('hopping windows have no negative starts', () => {
    const windows = TimeWindows.ofSizeWithNoGrace(10).advanceBy(4);
    expect([0, 4, 9, 10, 12].map((timestamp) => startsOf(windows, timestamp))).toEqual([
      [0],
      [0, 4],
      [0, 4, 8],
      [4, 8],
      [4, 8, 12],
    ]);
  });

  it('are exactly the aligned windows that hold the timestamp', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(39), fc.nat(200), (size, step, timestamp) => {
        const advance = (step % size) + 1;
        const expected: number[] = [];
        for (let start = 0; start <= timestamp; start += advance) {
          if (timestamp < start + size) expected.push(start);
        }
        expect(startsOf(TimeWindows.ofSizeWithNoGrace(size).advanceBy(advance), timestamp)).toEqual(expected);
      }),
    );
  });

  it('keep grace when they start to hop, and are never changed in place', () => {
    const tumbling = TimeWindows.ofSizeAndGrace('1 minute', '5 seconds');
    const hopping = tumbling.advanceBy('10 seconds');
    expect(tumbling).toMatchObject({ sizeMs: 60_000, advanceMs: 60_000, graceMs: 5_000, retentionMs: 65_000 });
    expect(hopping).toMatchObject({ sizeMs: 60_000, advanceMs: 10_000, graceMs: 5_000 });
    expect(Object.isFrozen(hopping)).toBe(true);
  });

  it.each([
    ['a size of 0', () => TimeWindows.ofSizeWithNoGrace(0)],
    ['a negative size', () => TimeWindows.ofSizeWithNoGrace(-5)],
    ['a negative grace', () => TimeWindows.ofSizeAndGrace(10, -1)],
    ['an advance of 0', () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(0)],
    ['an advance beyond the size', () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(11)],
    ['a text that is no duration', () => TimeWindows.ofSizeWithNoGrace('soon' as never)],
  ])('refuse %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'TopologyError', code: 'INVALID_WINDOW' }));
  });
});

describe('session windows', () => {
  it('allow a gap of 0 and refuse negative durations', () => {
    expect(SessionWindows.ofInactivityGapWithNoGrace(0)).toMatchObject({ gapMs: 0, graceMs: 0 });
    expect(SessionWindows.ofInactivityGapAndGrace('5 m', '1 m')).toMatchObject({
      gapMs: 300_000,
      graceMs: 60_000,
      retentionMs: 360_000,
    });
    expect(() => SessionWindows.ofInactivityGapWithNoGrace(-1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
    expect(() => SessionWindows.ofInactivityGapAndGrace(1, -1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });
});

describe('join windows', () => {
  it('have independent bounds, one of which may be negative', () => {
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 3).after('-4 ms');
    expect(windows).toMatchObject({ beforeMs: 10, afterMs: -4, graceMs: 3, sizeMs: 6, retentionMs: 9 });
    expect(windows.before(4)).toMatchObject({ beforeMs: 4, sizeMs: 0 });
    expect(windows.grace('1 s')).toMatchObject({ beforeMs: 10, afterMs: -4, graceMs: 1000 });
  });

  it('refuse an empty window and a negative grace', () => {
    expect(() => JoinWindows.ofTimeDifferenceWithNoGrace(10).after(-11)).toThrow(
      expect.objectContaining({ code: 'INVALID_WINDOW' }),
    );
    expect(() => JoinWindows.ofTimeDifferenceWithNoGrace(-1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
    expect(() => JoinWindows.ofTimeDifferenceAndGrace(1, -1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });
});

describe('sliding windows', () => {
  it('allow a difference of 0 and refuse negative durations', () => {
    expect(SlidingWindows.ofTimeDifferenceWithNoGrace(0)).toMatchObject({ timeDifferenceMs: 0, graceMs: 0 });
    expect(SlidingWindows.ofTimeDifferenceAndGrace('10 s', '1 s')).toMatchObject({
      timeDifferenceMs: 10_000,
      graceMs: 1_000,
      retentionMs: 21_000,
    });
    expect(() => SlidingWindows.ofTimeDifference(-1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
    expect(() => SlidingWindows.ofTimeDifferenceAndGrace(1, -1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });
});

describe('unlimited windows', () => {
  it('hold every timestamp from their start on', () => {
    const windows = UnlimitedWindows.of().startOn(50);
    expect([49, 50, 1_000_000].map((timestamp) => windows.firstStart(timestamp))).toEqual([Infinity, 50, 50]);
    expect(UnlimitedWindows.of()).toMatchObject({ startMs: 0, sizeMs: Infinity, graceMs: 0 });
  });

  it.each([-1, 0.5, Number.NaN])('refuse to start at %d', (start) => {
    expect(() => UnlimitedWindows.of().startOn(start)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });
});
