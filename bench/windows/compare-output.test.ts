import { describe, expect, it } from 'vitest';
import { compareOutput, isRight } from './compare-output.ts';
import { ExpectedSessions } from './expected-sessions.ts';
import { ExpectedStatistics } from './expected-statistics.ts';

const PARTITION = 0;
const reading = (valueInW: number): string => JSON.stringify({ valueInW });
const event = (seq: number): string => JSON.stringify({ seq });

describe('the verdict on hopping statistics', () => {
  function expected(): ExpectedStatistics {
    const model = new ExpectedStatistics(60, 20);
    model.add('a', reading(10), 50, PARTITION);
    model.add('a', reading(30), 70, PARTITION);
    // Stream time 70: of the windows [0, 60), [20, 80), [40, 100) the first one is closed.
    model.add('a', reading(20), 55, PARTITION);
    return model;
  }
  const one = { count: 1, sum: 10, min: 10, max: 10, mean: 10, m2: 0 };
  const three = { count: 3, sum: 60, min: 10, max: 30, mean: 20, m2: 200 };
  const right = new Map([
    ['a@0', JSON.stringify(one)],
    ['a@20', JSON.stringify(three)],
    ['a@40', JSON.stringify({ ...three, m2: 200.000001 })],
    ['a@60', JSON.stringify({ ...one, sum: 30, min: 30, max: 30, mean: 30 })],
  ]);

  it('accepts what Kafka Streams computes, rounded otherwise', () => {
    const model = expected();
    expect(model.dropped).toBe(1);
    expect(isRight(compareOutput(right, model))).toBe(true);
  });

  it.each([
    ['a window that is missing', 'windowsMissing', new Map([...right].slice(1))],
    ['a window that is wrong', 'windowsDifferent', new Map([...right, ['a@0', JSON.stringify({ ...one, sum: 11 })]])],
    ['a window that nothing explains', 'windowsUnexpected', new Map([...right, ['a@80', JSON.stringify(one)]])],
  ])('finds %s', (_what, count, output) => {
    const comparison = compareOutput(output, expected());
    expect(comparison).toMatchObject({ [count]: 1 });
    expect(isRight(comparison)).toBe(false);
  });
});

describe('the verdict on sessions', () => {
  function expected(): ExpectedSessions {
    const model = new ExpectedSessions(10, 20);
    model.add('a', event(1), 100, PARTITION);
    model.add('a', event(2), 115, PARTITION);
    // Bridges the two.
    model.add('a', event(3), 107, PARTITION);
    model.add('a', event(4), 200, PARTITION);
    // Ends before 200 − 10 − 20.
    model.add('a', event(5), 169, PARTITION);
    return model;
  }
  const right = new Map([
    ['a@100-100', undefined],
    ['a@100-115', JSON.stringify({ count: 3, last: 3 })],
    ['a@200-200', JSON.stringify({ count: 1, last: 4 })],
  ]);

  it('accepts tombstones of merged sessions, and their absence', () => {
    const model = expected();
    expect(model.dropped).toBe(1);
    expect(compareOutput(right, model)).toMatchObject({ windows: 2 });
    expect(isRight(compareOutput(right, model))).toBe(true);
  });

  it('finds a merged session that was not deleted', () => {
    const comparison = compareOutput(new Map([...right, ['a@115-115', JSON.stringify({ count: 1, last: 2 })]]), expected());
    expect(comparison).toMatchObject({ windowsNotDeleted: 1 });
    expect(isRight(comparison)).toBe(false);
  });
});
