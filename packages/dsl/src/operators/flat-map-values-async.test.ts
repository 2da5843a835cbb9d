import { resolveAsyncOptions } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { flatMapValuesAsyncOperator } from './flat-map-values-async.ts';
import { OperatorHarness } from './operator-harness.ts';

const settings = resolveAsyncOptions({}, 'node');

describe('flatMapValuesAsync', () => {
  it.each([
    ['a promise of a list', async (value: string) => value.split(' ')],
    [
      'an async generator',
      async function* (value: string) {
        yield* value.split(' ');
      },
    ],
  ])('forwards each value of %s under the same key', async (_kind, mapper) => {
    const harness = new OperatorHarness();
    harness.pipe(harness.node(flatMapValuesAsyncOperator({ mapper, settings })), 'k', 'a b', 7);
    await Promise.all(harness.calls);
    expect(harness.forwarded).toEqual([
      { key: 'k', value: 'a', at: 7 },
      { key: 'k', value: 'b', at: 7 },
    ]);
  });
});
