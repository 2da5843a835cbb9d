import { describe, expect, it } from 'vitest';
import { mapValuesOperator } from './map-values.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('mapValues', () => {
  it('replaces the value and keeps key and timestamp', () => {
    const harness = new OperatorHarness();
    const node = harness.node(mapValuesOperator<string, number, string>({ mapper: (value, key) => `${key}${value}` }));
    harness.pipe(node, 'a', 2, 7);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 'a2', at: 7 }]);
  });

  it('gives an absent value to the mapper', () => {
    const harness = new OperatorHarness();
    const node = harness.node(mapValuesOperator<string, undefined, string>({ mapper: (value) => String(value) }));
    harness.pipe(node, 'a', undefined);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 'undefined', at: 0 }]);
  });

  it('names the mistake when the mapper returns a promise', () => {
    const harness = new OperatorHarness();
    const node = harness.node(mapValuesOperator({ mapper: async () => 1 }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(/mapValues returned a promise; .* use mapAsync/);
  });
});
