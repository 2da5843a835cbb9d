import { describe, expect, it } from 'vitest';
import { filterOperator } from './filter.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('filter', () => {
  it('forwards what passes, with its timestamp and headers', () => {
    const harness = new OperatorHarness();
    const node = harness.node(filterOperator<string, number>({ predicate: (value, key) => value > 1 && key !== 'b' }));
    const headers = [{ key: 'h', value: undefined }];
    harness.pipe(node, 'a', 2, 7, headers);
    harness.pipe(node, 'b', 2);
    harness.pipe(node, 'a', 1);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 2, at: 7, headers }]);
    expect(harness.dropped).toEqual([]);
  });

  it('forwards what does not pass when negated', () => {
    const harness = new OperatorHarness();
    const node = harness.node(filterOperator<string, number>({ predicate: (value) => value > 1, negate: true }));
    harness.pipe(node, 'a', 2);
    harness.pipe(node, 'a', 1);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 1, at: 0 }]);
  });

  it('gives absent keys and values to the predicate', () => {
    const harness = new OperatorHarness();
    const node = harness.node(filterOperator({ predicate: (value, key) => value === undefined && key === undefined }));
    harness.pipe(node, undefined, undefined, 3);
    expect(harness.forwarded).toEqual([{ key: undefined, value: undefined, at: 3 }]);
  });

  it('refuses a predicate that returns a promise, as a promise is truthy', () => {
    const harness = new OperatorHarness();
    const predicate = (async () => false) as unknown as () => boolean;
    const node = harness.node(filterOperator({ predicate }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });

  it('makes a new processor for each task', () => {
    const supplier = filterOperator({ predicate: () => true });
    expect(supplier()).not.toBe(supplier());
  });
});
