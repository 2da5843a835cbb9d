import { json, string } from '@millrace/core';
import { timestampedWindowStore, type WindowedKey } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import { OperatorHarness } from './operator-harness.ts';
import { slidingWindowAggregateOperator } from './sliding-window-aggregate.ts';

interface StartOptions {
  readonly caching?: boolean;
  readonly sendOldValues?: boolean;
}

async function start(windows: SlidingWindows, options: StartOptions = {}) {
  const harness = new OperatorHarness();
  const { timeDifferenceMs, retentionMs } = windows;
  const { caching = false, sendOldValues = false } = options;
  const settings = { windowSizeMs: Math.max(1, timeDifferenceMs), retentionMs, startIndexSpanMs: timeDifferenceMs + 1, caching };
  await harness.open(timestampedWindowStore('agg', string(), json<string>(), settings), { caching });
  const node = harness.node(
    slidingWindowAggregateOperator<string, number, string>({
      store: 'agg',
      windows,
      emit: 'on-window-update',
      initializer: () => '',
      aggregator: (aggregate, value) => `${aggregate}+${value}`,
      sendOldValues,
    }),
  );
  return { harness, node };
}

const at = (key: string, from: number, to: number): WindowedKey<string> => ({ key, window: { start: from, end: to } });

const tenAndGrace = SlidingWindows.ofTimeDifferenceAndGrace(10, 50);

describe('sliding-windowed aggregate', () => {
  it('makes the window that ends with a record, and the one behind the record before', async () => {
    const { harness, node } = await start(tenAndGrace);
    harness.pipe(node, 'a', 1, 20);
    expect(harness.take()).toEqual([{ key: at('a', 10, 20), value: '+1', at: 20 }]);
    harness.pipe(node, 'a', 2, 25);
    expect(harness.take()).toEqual([
      { key: at('a', 21, 31), value: '+2', at: 25 },
      { key: at('a', 15, 25), value: '+1+2', at: 25 },
    ]);
  });

  it('updates the windows that hold a late record, latest first, and copies what comes after it', async () => {
    const { harness, node } = await start(tenAndGrace);
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 25);
    harness.take();
    harness.pipe(node, 'a', 3, 22);
    expect(harness.take()).toEqual([
      { key: at('a', 21, 31), value: '+2+3', at: 25 },
      { key: at('a', 15, 25), value: '+1+2+3', at: 25 },
      { key: at('a', 12, 22), value: '+1+3', at: 22 },
      { key: at('a', 23, 33), value: '+2', at: 25 },
    ]);
  });

  it('gives the same window twice when a record comes just out of reach of the one before', async () => {
    const { harness, node } = await start(tenAndGrace);
    harness.pipe(node, 'a', 0, 15);
    harness.pipe(node, 'a', 1, 20);
    harness.take();
    harness.pipe(node, 'a', 2, 31);
    const twice = { key: at('a', 21, 31), value: '+2', at: 31 };
    expect(harness.take()).toEqual([twice, twice]);
  });

  it('puts early records into one window, as there are no negative starts', async () => {
    const { harness, node } = await start(tenAndGrace);
    harness.pipe(node, 'a', 1, 3);
    harness.pipe(node, 'a', 2, 8);
    expect(harness.take()).toEqual([
      { key: at('a', 0, 10), value: '+1', at: 3 },
      { key: at('a', 4, 14), value: '+2', at: 8 },
      { key: at('a', 0, 10), value: '+1+2', at: 8 },
    ]);
  });

  it('drops records without key or value before they move stream time', async () => {
    const { harness, node } = await start(SlidingWindows.ofTimeDifferenceWithNoGrace(10));
    harness.pipe(node, undefined, 1, 1000);
    harness.pipe(node, 'a', undefined, 1000);
    harness.pipe(node, 'a', 1, 20);
    expect(harness.dropped).toEqual(['null key or value', 'null key or value']);
    expect(harness.forwarded).toHaveLength(1);
  });

  it('drops a late record as a whole, or per window that has closed', async () => {
    const { harness, node } = await start(SlidingWindows.ofTimeDifferenceWithNoGrace(10));
    harness.pipe(node, 'a', 1, 40);
    harness.pipe(node, 'a', 2, 29);
    expect(harness.dropped).toEqual(['expired window']);
    harness.take();
    // Its last window would end just now; the one that ends with it has closed.
    harness.pipe(node, 'a', 3, 30);
    expect(harness.take()).toEqual([
      { key: at('a', 30, 40), value: '+1+3', at: 40 },
      { key: at('a', 31, 41), value: '+1', at: 40 },
    ]);
    expect(harness.dropped).toEqual(['expired window', 'expired window']);
  });

  it('tells old values: of a new window what it began with', async () => {
    const { harness, node } = await start(tenAndGrace, { sendOldValues: true });
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 25);
    expect(harness.forwarded.map(({ key, old }) => [(key as WindowedKey<string>).window.start, old])).toEqual([
      [10, ''],
      [21, ''],
      [15, '+1'],
    ]);
  });

  it('refuses a time difference of 0 with the first record', async () => {
    const { harness, node } = await start(SlidingWindows.ofTimeDifferenceAndGrace(0, 5));
    expect(() => harness.pipe(node, 'a', 1, 1)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });

  it('its changes leave exactly the windows that differ in content, whatever the order of the records', async () => {
    const inputs = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat(120) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 30 }), fc.boolean(), async (records, difference, caching) => {
        const { harness, node } = await start(SlidingWindows.ofTimeDifferenceAndGrace(difference, 1000), { caching });
        for (const [index, { key, at: timestamp }] of records.entries()) {
          harness.pipe(node, key, index, timestamp);
          if (index % 4 === 3) await harness.commit();
        }
        await harness.commit();
        const table = new Map(harness.forwarded.map(({ key, value }) => [nameOf(key as WindowedKey<string>), members(value)]));
        expect(table).toEqual(windowsOf(records, difference));
      }),
    );
  });
});

interface Input {
  readonly key: string;
  readonly at: number;
}

/** Every window that ends with a record, and every one behind a record that holds another, with the records in it. */
function windowsOf(records: readonly Input[], difference: number): Map<string, string> {
  const windows = new Map<string, string>();
  const add = (key: string, from: number) => {
    const own = [...records.keys()].filter((index) => {
      const record = records[index] as Input;
      return record.key === key && record.at >= from && record.at <= from + difference;
    });
    if (own.length > 0) windows.set(nameOf(at(key, from, from + difference)), own.join(' '));
  };
  for (const record of records) {
    add(record.key, Math.max(0, record.at - difference));
    add(record.key, record.at + 1);
  }
  return windows;
}

function nameOf({ key, window }: WindowedKey<string>): string {
  return `${key}@${window.start}/${window.end}`;
}

function members(aggregate: unknown): string {
  return [...(aggregate as string).matchAll(/\d+/g)]
    .map(Number)
    .toSorted((a, b) => a - b)
    .join(' ');
}
