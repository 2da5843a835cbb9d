import { resolveAsyncOptions } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { mapValuesAsyncOperator } from './map-values-async.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('mapValuesAsync', () => {
  it.each([
    { key: 'a', value: 2, mapped: 'a2', forwarded: { key: 'a', value: 'a2', at: 7 } },
    { key: undefined, value: 2, mapped: 'x', forwarded: { key: undefined, value: 'x', at: 7 } },
    { key: 'a', value: undefined, mapped: undefined, forwarded: { key: 'a', value: undefined, at: 7 } },
    { key: 'a', value: 1, mapped: null, forwarded: { key: 'a', value: undefined, at: 7 } },
  ])('$key: $value → $mapped under the same key', async ({ key, value, mapped, forwarded }) => {
    const harness = new OperatorHarness();
    const seen: unknown[] = [];
    const mapper = async (...given: unknown[]) => {
      seen.push(given.slice(0, 2));
      return mapped;
    };
    const node = harness.node(mapValuesAsyncOperator({ mapper, settings: resolveAsyncOptions({}, 'node') }));
    harness.pipe(node, key, value, 7);
    await Promise.all(harness.calls);
    expect(seen).toEqual([[value, key]]);
    expect(harness.forwarded).toEqual([forwarded]);
  });
});
