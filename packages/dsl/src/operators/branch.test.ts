import { describe, expect, it } from 'vitest';
import { branchOperator } from './branch.ts';
import { OperatorHarness } from './operator-harness.ts';

const predicates = [(value: number) => value > 5, (value: number) => value > 2];

describe('branch', () => {
  it('sends each record to the first child whose predicate passes, the rest to the default child', () => {
    const harness = new OperatorHarness();
    const node = harness.node(branchOperator<string, number>({ predicates, hasDefault: true }));
    for (const value of [7, 3, 1]) harness.pipe(node, 'a', value);
    expect(harness.forwarded.map(({ value, child }) => [value, child])).toEqual([
      [7, 0],
      [3, 1],
      [1, 2],
    ]);
  });

  it('drops the rest silently without a default child', () => {
    const harness = new OperatorHarness();
    const node = harness.node(branchOperator<string, number>({ predicates, hasDefault: false }));
    harness.pipe(node, 'a', 1);
    expect(harness.forwarded).toEqual([]);
    expect(harness.dropped).toEqual([]);
  });

  it('does not ask the predicates behind the first that passes', () => {
    const asked: number[] = [];
    const harness = new OperatorHarness();
    const node = harness.node(
      branchOperator({ predicates: [0, 1, 2].map((index) => () => asked.push(index) > 1), hasDefault: false }),
    );
    harness.pipe(node, 'a', 1);
    expect(asked).toEqual([0, 1]);
  });
});
