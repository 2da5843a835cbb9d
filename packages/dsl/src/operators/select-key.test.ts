import { describe, expect, it } from 'vitest';
import { keyPresentFilterOperator } from './key-present-filter.ts';
import { OperatorHarness } from './operator-harness.ts';
import { selectKeyOperator } from './select-key.ts';

describe('selectKey', () => {
  it('replaces the key and keeps value and timestamp', () => {
    const harness = new OperatorHarness();
    const node = harness.node(selectKeyOperator<string, number, string>({ selector: (value, key) => key + value }));
    harness.pipe(node, 'a', 2, 7);
    expect(harness.forwarded).toEqual([{ key: 'a2', value: 2, at: 7 }]);
  });

  it('may select no key, which the filter in front of a repartition topic removes silently', () => {
    const harness = new OperatorHarness();
    const filter = harness.node(keyPresentFilterOperator());
    const node = harness.node(
      selectKeyOperator<string, number, string | null>({ selector: (value) => (value > 1 ? 'k' : null) }),
      filter,
    );
    harness.pipe(node, 'a', 1);
    harness.pipe(node, 'a', 2);
    expect(harness.forwarded).toEqual([{ key: 'k', value: 2, at: 0 }]);
    expect(harness.dropped).toEqual([]);
  });
});
