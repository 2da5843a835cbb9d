import { json, string } from '@millrace/core';
import { timestampedWindowStore, type WindowedKey } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeWindows } from '../windows/time-windows.ts';
import { countingAggregation, reducingAggregation } from './aggregations.ts';
import { OperatorHarness } from './operator-harness.ts';
import { timeWindowAggregateOperator } from './time-window-aggregate.ts';

async function start(windows: TimeWindows, options: { readonly caching?: boolean; readonly sendOldValues?: boolean } = {}) {
  const harness = new OperatorHarness();
  const { sizeMs: windowSizeMs, retentionMs } = windows;
  const caching = options.caching ?? false;
  const store = await harness.open(
    timestampedWindowStore('agg', string(), json<string>(), { windowSizeMs, retentionMs, caching }),
    { caching },
  );
  const aggregation = {
    initializer: () => '',
    aggregator: (aggregate: string, value: number | undefined) => `${aggregate}+${value ?? '-'}`,
  };
  const node = harness.node(
    timeWindowAggregateOperator({
      store: 'agg',
      windows,
      emit: 'on-window-update',
      sendOldValues: options.sendOldValues ?? false,
      ...aggregation,
    }),
  );
  return { harness, store, node };
}

const at = (key: string, start: number, end: number): WindowedKey<string> => ({ key, window: { start, end } });

describe('time-windowed aggregate', () => {
  it('updates every window of the record, earliest first', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10).advanceBy(5));
    harness.pipe(node, 'a', 1, 12);
    harness.pipe(node, 'a', 2, 14);
    expect(harness.forwarded).toEqual([
      { key: at('a', 5, 15), value: '+1', at: 12 },
      { key: at('a', 10, 20), value: '+1', at: 12 },
      { key: at('a', 5, 15), value: '+1+2', at: 14 },
      { key: at('a', 10, 20), value: '+1+2', at: 14 },
    ]);
  });

  it('counts one drop per closed window, and updates those still open', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeAndGrace(10, 2).advanceBy(5));
    harness.pipe(node, 'a', 1, 17);
    harness.take();
    harness.pipe(node, 'a', 2, 9);
    expect(harness.dropped).toEqual(['expired window', 'expired window']);
    expect(harness.forwarded).toEqual([]);
    harness.pipe(node, 'a', 3, 12);
    expect(harness.dropped).toHaveLength(3);
    expect(harness.forwarded).toEqual([{ key: at('a', 10, 20), value: '+1+3', at: 17 }]);
  });

  it('drops a record without key before it moves stream time', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10));
    harness.pipe(node, undefined, 1, 1000);
    harness.pipe(node, 'a', 2, 5);
    expect(harness.dropped).toEqual(['null key']);
    expect(harness.forwarded).toHaveLength(1);
  });

  it('gives an absent value to the aggregator: a count counts it, a reduce sees it', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10));
    harness.pipe(node, 'a', undefined, 5);
    expect(harness.take().map((one) => one.value)).toEqual(['+-']);
    const { aggregator } = countingAggregation<string, unknown>();
    expect(aggregator(1, undefined, 'a')).toBe(2);
    const joined = reducingAggregation<string, string>((aggregate, value) => `${aggregate},${value}`);
    expect(joined.aggregator('x', undefined as never, 'a')).toBe('x,undefined');
  });

  it('tells the result of the initializer as the old value of a new window', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10), { sendOldValues: true });
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 6);
    expect(harness.forwarded.map((one) => one.old)).toEqual(['', '+1']);
  });

  it('with a cache forwards each window once per commit', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeAndGrace(10, 10), { caching: true, sendOldValues: true });
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 15);
    harness.pipe(node, 'a', 3, 6);
    expect(harness.take()).toEqual([]);
    await harness.commit();
    harness.pipe(node, 'a', 4, 16);
    await harness.commit();
    expect(harness.take()).toEqual([
      { key: at('a', 10, 20), value: '+2', at: 15 },
      { key: at('a', 0, 10), value: '+1+3', at: 6 },
      { key: at('a', 10, 20), value: '+2+4', at: 16, old: '+2' },
    ]);
  });

  it('each update is the fold over the accepted records of that key and window', async () => {
    const inputs = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat(60) }), { maxLength: 40 });
    const shape = fc.record({ size: fc.integer({ min: 1, max: 20 }), step: fc.nat(19), grace: fc.nat(15) });
    await fc.assert(
      fc.asyncProperty(inputs, shape, async (records, { size, step, grace }) => {
        const windows = TimeWindows.ofSizeAndGrace(size, grace).advanceBy((step % size) + 1);
        const { harness, node } = await start(windows);
        const accepted: { readonly key: string; readonly start: number; readonly text: string }[] = [];
        let streamTime = -1;
        let drops = 0;
        for (const [index, { key, at: timestamp }] of records.entries()) {
          streamTime = Math.max(streamTime, timestamp);
          const expected: unknown[] = [];
          for (let begin = 0; begin <= timestamp; begin += windows.advanceMs) {
            if (timestamp >= begin + size) continue;
            if (begin + size <= streamTime - grace) {
              drops++;
              continue;
            }
            accepted.push({ key, start: begin, text: `+${index}` });
            const own = accepted.filter((one) => one.key === key && one.start === begin);
            expected.push([at(key, begin, begin + size), own.map((one) => one.text).join('')]);
          }
          harness.pipe(node, key, index, timestamp);
          if (index % 3 === 0) await harness.commit();
          expect(harness.take().map((one) => [one.key, one.value])).toEqual(expected);
        }
        expect(harness.dropped).toHaveLength(drops);
      }),
    );
  });
});
