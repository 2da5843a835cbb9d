import { resolveAsyncOptions } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { flatMapAsyncOperator } from './flat-map-async.ts';
import { OperatorHarness } from './operator-harness.ts';

const settings = resolveAsyncOptions({}, 'node');
const pairs = [
  ['a', 0],
  ['b', 1],
] as const;

describe('flatMapAsync', () => {
  it.each([
    ['a promise of a list', async () => pairs],
    ['a promise of a generator', async () => pairs.values()],
    [
      'an async generator',
      async function* () {
        yield* pairs;
      },
    ],
  ])('forwards each pair of %s in order', async (_kind, mapper) => {
    const harness = new OperatorHarness();
    harness.pipe(harness.node(flatMapAsyncOperator({ mapper, settings })), 'k', 'v', 7);
    await Promise.all(harness.calls);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 0, at: 7 },
      { key: 'b', value: 1, at: 7 },
    ]);
  });

  it.each([
    ['nothing to iterate over', async () => null, /flatMapAsync must return an iterable/],
    ['something that is no pair', async () => [['a', 1], 2], /flatMapAsync must return pairs/],
  ])('forwards nothing when the function gives %s', async (_kind, mapper, message) => {
    const harness = new OperatorHarness();
    harness.pipe(harness.node(flatMapAsyncOperator({ mapper: mapper as never, settings })), 'k', 'v');
    await expect(harness.calls[0]).rejects.toThrow(message);
    expect(harness.forwarded).toEqual([]);
  });

  it('forwards nothing of a generator that fails half-way', async () => {
    const harness = new OperatorHarness();
    const mapper = async function* () {
      yield ['a', 1] as const;
      throw new Error('half-way');
    };
    harness.pipe(harness.node(flatMapAsyncOperator({ mapper, settings })), 'k', 'v');
    await expect(harness.calls[0]).rejects.toThrow('half-way');
    expect(harness.forwarded).toEqual([]);
  });
});
