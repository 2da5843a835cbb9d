import { describe, expect, it } from 'vitest';
import { flatMapOperator } from './flat-map.ts';
import { mapOperator } from './map.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('map', () => {
  it('replaces key and value and keeps the timestamp', () => {
    const harness = new OperatorHarness();
    const node = harness.node(mapOperator<string, number, number, string>({ mapper: (value, key) => [value, key] }));
    harness.pipe(node, 'a', 2, 7);
    expect(harness.forwarded).toEqual([{ key: 2, value: 'a', at: 7 }]);
  });

  it.each([
    ['null', () => null],
    ['undefined', () => undefined],
    ['string', () => 'ab'],
  ])('refuses %s instead of a pair', (_name, mapper) => {
    const harness = new OperatorHarness();
    const node = harness.node(mapOperator({ mapper: mapper as unknown as () => readonly [string, string] }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(TypeError);
  });

  it('names the mistake when the mapper returns a promise', () => {
    const harness = new OperatorHarness();
    const mapper = (async () => ['a', 1]) as unknown as () => readonly [string, number];
    const node = harness.node(mapOperator({ mapper }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });
});

describe('flatMap', () => {
  it('forwards each pair of the iterable in order', () => {
    const harness = new OperatorHarness();
    const node = harness.node(
      flatMapOperator<string, number, string, number>({
        *mapper(value, key) {
          for (let i = 0; i < value; i++) yield [key + i, i];
        },
      }),
    );
    harness.pipe(node, 'a', 2, 7);
    harness.pipe(node, 'b', 0, 8);
    expect(harness.forwarded).toEqual([
      { key: 'a0', value: 0, at: 7 },
      { key: 'a1', value: 1, at: 7 },
    ]);
  });

  it('refuses what cannot be iterated, and elements that are no pairs', () => {
    const harness = new OperatorHarness();
    const none = harness.node(flatMapOperator({ mapper: (() => null) as never }));
    const bare = harness.node(flatMapOperator({ mapper: (() => [1]) as never }));
    expect(() => harness.pipe(none, 'a', 1)).toThrow(/must return an iterable/);
    expect(() => harness.pipe(bare, 'a', 1)).toThrow(/must return pairs/);
  });
});
