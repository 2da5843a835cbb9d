import { int64, string } from '@millrace/core';
import { timestampedWindowStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnlimitedWindows } from '../windows/unlimited-windows.ts';
import { countingAggregation } from './aggregations.ts';
import { OperatorHarness } from './operator-harness.ts';
import { timeWindowAggregateOperator } from './time-window-aggregate.ts';

describe('aggregate over an unlimited window', () => {
  it('counts every record from the start on, however late, and none before', async () => {
    const inputs = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat(1000) }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(inputs, fc.nat(500), async (records, startMs) => {
        const windows = UnlimitedWindows.of().startOn(startMs);
        const harness = new OperatorHarness();
        const options = { windowSizeMs: Number.MAX_SAFE_INTEGER, retentionMs: windows.retentionMs };
        const store = await harness.open(timestampedWindowStore('agg', string(), int64(), options));
        const aggregation = countingAggregation<string, number>();
        const node = harness.node(
          timeWindowAggregateOperator({ store: 'agg', windows, emit: 'on-window-update', sendOldValues: false, ...aggregation }),
        );
        const counts = new Map<string, number>();
        for (const [index, { key, at }] of records.entries()) {
          harness.pipe(node, key, index, at);
          if (at >= startMs) counts.set(key, (counts.get(key) ?? 0) + 1);
          if (index % 5 === 0) await harness.commit();
        }
        for (const key of ['a', 'b']) expect(store.fetch(key, startMs)?.value).toEqual(counts.get(key));
        for (const { key } of harness.forwarded) expect(key).toMatchObject({ window: { start: startMs, end: Infinity } });
        expect(harness.dropped).toEqual([]);
      }),
    );
  });
});
