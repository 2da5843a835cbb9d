import { json, string } from '@millrace/core';
import { sessionStore, timestampedWindowStore, type WindowedKey } from '@millrace/state';
import type { NodeProcessor } from '@millrace/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionWindows } from '../windows/session-windows.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import { TimeWindows } from '../windows/time-windows.ts';
import { OperatorHarness } from './operator-harness.ts';
import { sessionWindowAggregateOperator } from './session-window-aggregate.ts';
import { slidingWindowAggregateOperator } from './sliding-window-aggregate.ts';
import { timeWindowAggregateOperator } from './time-window-aggregate.ts';

type Windows = TimeWindows | SlidingWindows | SessionWindows;

const aggregation = {
  store: 'agg',
  emit: 'on-window-close',
  initializer: () => '',
  aggregator: (aggregate: string, value: number) => `${aggregate}+${value}`,
  merger: (a: string, b: string) => `${a}${b}`,
  sendOldValues: false,
} as const;

/** The operator over a store with the shortest retention in which each row can be read until it closes. */
async function start(windows: Windows): Promise<{ readonly harness: OperatorHarness; readonly node: NodeProcessor }> {
  const harness = new OperatorHarness();
  const { retentionMs } = windows;
  if (windows instanceof SessionWindows) {
    const options = { gapMs: windows.gapMs, retentionMs: retentionMs + 1, emitsClosed: true };
    await harness.open(sessionStore('agg', string(), json<string>(), options));
    return { harness, node: harness.node(sessionWindowAggregateOperator({ ...aggregation, windows })) };
  }
  if (windows instanceof SlidingWindows) {
    const { timeDifferenceMs: windowSizeMs } = windows;
    const options = { windowSizeMs, retentionMs, startIndexSpanMs: windowSizeMs + 1, closesAfterMs: windowSizeMs + 1 };
    await harness.open(timestampedWindowStore('agg', string(), json<string>(), options));
    return { harness, node: harness.node(slidingWindowAggregateOperator({ ...aggregation, windows })) };
  }
  const { sizeMs: windowSizeMs } = windows;
  const options = { windowSizeMs, retentionMs, closesAfterMs: windowSizeMs };
  await harness.open(timestampedWindowStore('agg', string(), json<string>(), options));
  return { harness, node: harness.node(timeWindowAggregateOperator({ ...aggregation, windows })) };
}

const at = (key: string, from: number, to: number): WindowedKey<string> => ({ key, window: { start: from, end: to } });

describe('results on window close', () => {
  it('come once per window, when stream time has reached its end plus grace, by time, then key', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeAndGrace(10, 2));
    harness.pipe(node, 'b', 1, 5);
    harness.pipe(node, 'a', 2, 6);
    harness.pipe(node, 'b', 3, 7);
    harness.pipe(node, 'b', 4, 11);
    expect(harness.take()).toEqual([]);
    harness.pipe(node, 'c', 5, 12, [{ key: 'h', value: undefined }]);
    const headers = [{ key: 'h', value: undefined }];
    expect(harness.take()).toEqual([
      { key: at('a', 0, 10), value: '+2', at: 6, headers },
      { key: at('b', 0, 10), value: '+1+3', at: 7, headers },
    ]);
    harness.pipe(node, 'c', 6, 13);
    expect(harness.take()).toEqual([]);
  });

  it.each([
    ['tumbling', TimeWindows.ofSizeWithNoGrace(10), [at('a', 0, 10), at('b', 0, 10)]],
    ['sliding', SlidingWindows.ofTimeDifferenceWithNoGrace(10), [at('a', 0, 10), at('b', 0, 10)]],
    ['session', SessionWindows.ofInactivityGapWithNoGrace(10), [at('a', 5, 5), at('b', 6, 6)]],
  ])('of %s windows are not lost when time jumps far beyond the retention', async (_kind, windows, keys) => {
    const { harness, node } = await start(windows);
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'b', 2, 6);
    await harness.commit();
    harness.pipe(node, 'c', 3, 10_000_000);
    expect(harness.take().map((one) => one.key)).toEqual(keys);
  });

  it('come at most once per interval of wall clock, and none is lost meanwhile', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10));
    harness.emitIntervalMs = 1000;
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 1_000_000);
    harness.pipe(node, 'a', 3, 2_000_000);
    await harness.commit();
    expect(harness.take()).toEqual([]);
    harness.wallClockMs = 1000;
    harness.pipe(node, 'a', 4, 2_000_001);
    expect(harness.take().map((one) => one.value)).toEqual(['+1', '+2']);
  });

  it('leave out windows whose aggregate was deleted', async () => {
    const harness = new OperatorHarness();
    const options = { windowSizeMs: 10, closesAfterMs: 10 };
    await harness.open(timestampedWindowStore('agg', string(), json<string>(), options));
    const aggregator = (_aggregate: string, value: number) => (value === 0 ? undefined : String(value));
    const windows = TimeWindows.ofSizeWithNoGrace(10);
    const node = harness.node(timeWindowAggregateOperator({ ...aggregation, windows, aggregator }));
    harness.pipe(node, 'a', 1, 1);
    harness.pipe(node, 'a', 0, 2);
    harness.pipe(node, 'b', 0, 3);
    harness.pipe(node, 'b', 7, 3);
    harness.pipe(node, 'c', 1, 30);
    expect(harness.forwarded).toEqual([{ key: at('b', 0, 10), value: '7', at: 3 }]);
  });

  it('come neither twice nor from late records after the operator has begun anew', async () => {
    const { harness, node } = await start(TimeWindows.ofSizeWithNoGrace(10));
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 25);
    expect(harness.take()).toHaveLength(1);
    await harness.commit();
    const anew = harness.node(timeWindowAggregateOperator({ ...aggregation, windows: TimeWindows.ofSizeWithNoGrace(10) }));
    harness.pipe(anew, 'a', 3, 6);
    harness.pipe(anew, 'a', 4, 26);
    harness.pipe(anew, 'a', 5, 30);
    expect(harness.dropped).toEqual(['expired window']);
    expect(harness.take().map((one) => one.value)).toEqual(['+2+4']);
  });

  const kinds: readonly (readonly [
    string,
    (size: number, grace: number) => Windows,
    (windows: Windows, end: number) => number,
  ])[] = [
    ['tumbling', (size, grace) => TimeWindows.ofSizeAndGrace(size, grace), (windows, end) => end + windows.graceMs],
    [
      'hopping',
      (size, grace) => TimeWindows.ofSizeAndGrace(size, grace).advanceBy(Math.ceil(size / 3)),
      (windows, end) => end + windows.graceMs,
    ],
    [
      'sliding',
      (size, grace) => SlidingWindows.ofTimeDifferenceAndGrace(size, grace),
      (windows, end) => end + windows.graceMs + 1,
    ],
    [
      'session',
      (size, grace) => SessionWindows.ofInactivityGapAndGrace(size, grace),
      (windows, end) => end + (windows as SessionWindows).gapMs + windows.graceMs + 1,
    ],
  ];

  it.each(kinds)(
    'of %s windows are the last updates that the same records give, each at its time',
    async (_kind, make, closesAt) => {
      const step = fc.record({
        key: fc.constantFrom('a', 'b', 'ab'),
        by: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.nat(300)),
      });
      const shape = fc.record({ size: fc.integer({ min: 1, max: 20 }), grace: fc.nat(15) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), shape, async (steps, { size, grace }) => {
          const windows = make(size, grace);
          const { harness, node } = await start(windows);
          const updates = await startOnUpdate(windows);
          // Sliding windows skip the look for closed windows with records before the first whole window.
          let streamTime = 2 * size;
          let timestamp = streamTime;
          const due: unknown[] = [];
          const last = new Map<string, readonly [WindowedKey<string>, unknown]>();
          for (const [index, { key, by }] of [...steps, { key: 'z', by: 10_000 }].entries()) {
            timestamp = Math.max(2 * size, timestamp + by);
            streamTime = Math.max(streamTime, timestamp);
            harness.pipe(node, key, index, timestamp);
            updates.harness.pipe(updates.node, key, index, timestamp);
            for (const update of updates.harness.take()) note(last, update.key as WindowedKey<string>, update.value);
            const closed = [...last].filter(([, [{ window }]]) => closesAt(windows, window.end) <= streamTime);
            for (const [name] of closed) last.delete(name);
            due.push(...closed.map(([, row]) => row).sort(([a], [b]) => compare(a, b)));
            if (index % 3 === 0) await harness.commit();
          }
          expect(harness.forwarded.map((one) => [one.key, one.value])).toEqual(due);
        }),
      );
    },
  );
});

/**
 * The same operator, over a store that forgets nothing, which forwards each update. Sliding and session windows it forgets as soon as
 * the other one: what an old record makes of its neighbours depends on whether these are still there.
 */
async function startOnUpdate(windows: Windows) {
  const harness = new OperatorHarness();
  const options = { retentionMs: 1_000_000 };
  const update = { ...aggregation, emit: 'on-window-update' } as const;
  if (windows instanceof SessionWindows) {
    await harness.open(
      sessionStore('agg', string(), json<string>(), { gapMs: windows.gapMs, retentionMs: windows.retentionMs + 1 }),
    );
    return { harness, node: harness.node(sessionWindowAggregateOperator({ ...update, windows })) };
  }
  if (windows instanceof SlidingWindows) {
    const { timeDifferenceMs: windowSizeMs } = windows;
    const sliding = { retentionMs: windows.retentionMs, windowSizeMs, startIndexSpanMs: windowSizeMs + 1 };
    await harness.open(timestampedWindowStore('agg', string(), json<string>(), sliding));
    return { harness, node: harness.node(slidingWindowAggregateOperator({ ...update, windows })) };
  }
  await harness.open(timestampedWindowStore('agg', string(), json<string>(), { ...options, windowSizeMs: windows.sizeMs }));
  return { harness, node: harness.node(timeWindowAggregateOperator({ ...update, windows })) };
}

type Rows = Map<string, readonly [WindowedKey<string>, unknown]>;

function note(rows: Rows, key: WindowedKey<string>, value: unknown): void {
  const name = `${key.key}@${key.window.start}/${key.window.end}`;
  if (value === undefined) rows.delete(name);
  else rows.set(name, [key, value]);
}

function compare(a: WindowedKey<string>, b: WindowedKey<string>): number {
  return a.window.end - b.window.end || a.window.start - b.window.start || (a.key < b.key ? -1 : 1);
}
