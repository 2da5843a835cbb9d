import { resolveAsyncOptions } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { mapAsyncOperator } from './map-async.ts';
import { OperatorHarness } from './operator-harness.ts';

const settings = resolveAsyncOptions({}, 'node');

describe('mapAsync', () => {
  it('replaces key and value and keeps timestamp and headers', async () => {
    const harness = new OperatorHarness();
    const headers = [{ key: 'h', value: undefined }];
    const mapper = async (value: number, key: string) => [value, key] as const;
    harness.pipe(harness.node(mapAsyncOperator({ mapper, settings })), 'a', 2, 7, headers);
    await Promise.all(harness.calls);
    expect(harness.forwarded).toEqual([{ key: 2, value: 'a', at: 7, headers }]);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['string', 'ab'],
  ])('refuses %s instead of a pair', async (_name, result) => {
    const harness = new OperatorHarness();
    const node = harness.node(mapAsyncOperator({ mapper: (() => Promise.resolve(result)) as never, settings }));
    harness.pipe(node, 'a', 1);
    await expect(harness.calls[0]).rejects.toThrow(/mapAsync must return a pair/);
  });

  it('says so where nothing asynchronous can run', () => {
    const context = { nodeName: 'map', taskId: '0_0', asyncLane: () => undefined } as never;
    const node = mapAsyncOperator({ mapper: async () => [1, 1] as const, settings })();
    expect(() => node.init(context)).toThrow(expect.objectContaining({ code: 'ASYNC_UNAVAILABLE', node: 'map' }));
  });
});
