import { describe, expect, it } from 'vitest';
import { foreachOperator } from './foreach.ts';
import { OperatorHarness } from './operator-harness.ts';
import { peekOperator } from './peek.ts';

describe('peek and foreach', () => {
  it('peek shows the record, then forwards it unchanged', () => {
    const seen: unknown[] = [];
    const harness = new OperatorHarness();
    const node = harness.node(peekOperator({ action: (value, key) => seen.push([key, value]) }));
    harness.pipe(node, 'a', 1, 7);
    expect(seen).toEqual([['a', 1]]);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 1, at: 7 }]);
  });

  it('foreach shows the record and forwards nothing', () => {
    const seen: unknown[] = [];
    const harness = new OperatorHarness();
    harness.pipe(harness.node(foreachOperator({ action: (value, key) => seen.push([key, value]) })), 'a', 1);
    expect(seen).toEqual([['a', 1]]);
    expect(harness.forwarded).toEqual([]);
  });

  it.each([
    ['peek', peekOperator],
    ['foreach', foreachOperator],
  ])('%s refuses an async action, which nobody would await', (_name, operator) => {
    const harness = new OperatorHarness();
    const node = harness.node(operator({ action: (async () => undefined) as never }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });
});
