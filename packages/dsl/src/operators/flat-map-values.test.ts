import { describe, expect, it } from 'vitest';
import { flatMapValuesOperator } from './flat-map-values.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('flatMapValues', () => {
  it('forwards each value under the key of the record', () => {
    const harness = new OperatorHarness();
    const node = harness.node(flatMapValuesOperator<string, string, string>({ mapper: (value) => value.split(' ') }));
    harness.pipe(node, 'a', 'x y', 7);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'x', at: 7 },
      { key: 'a', value: 'y', at: 7 },
    ]);
  });

  it('forwards nothing for an empty list', () => {
    const harness = new OperatorHarness();
    harness.pipe(harness.node(flatMapValuesOperator({ mapper: () => [] })), 'a', 1);
    expect(harness.forwarded).toEqual([]);
  });

  it('tells a promise from another result that cannot be iterated', () => {
    const harness = new OperatorHarness();
    const promised = harness.node(flatMapValuesOperator({ mapper: (async () => []) as never }));
    const missing = harness.node(flatMapValuesOperator({ mapper: (() => undefined) as never }));
    expect(() => harness.pipe(promised, 'a', 1)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
    expect(() => harness.pipe(missing, 'a', 1)).toThrow(TypeError);
  });
});
