import { json, string } from '@millrace/core';
import { changeBuffer, timestampedKeyValueStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Suppressed, untilTimeLimit, untilWindowCloses } from '../options/suppressed.ts';
import { timeWindowedSerde } from '../windows/windowed-serde.ts';
import { type Forwarded, OperatorHarness } from './operator-harness.ts';
import { suppressedTableView, suppressOperator } from './suppress.ts';
import { storedTableView } from './table-view.ts';

const key = string();
const value = json<number>();

async function startTimeLimit(suppressed: Suppressed<string>) {
  const harness = new OperatorHarness();
  const buffer = await harness.open(changeBuffer('buffer', key, value));
  const node = harness.node(suppressOperator({ ...suppressed, buffer: 'buffer', waitMs: suppressed.waitMs as number }));
  return { harness, buffer, node };
}

async function startWindowCloses(graceMs: number) {
  const harness = new OperatorHarness();
  await harness.open(changeBuffer('buffer', timeWindowedSerde(key, 10), value));
  const node = harness.node(suppressOperator({ ...untilWindowCloses(), buffer: 'buffer', waitMs: graceMs }));
  return { harness, node };
}

const window = (name: string, start: number) => ({ key: name, window: { start, end: start + 10 } });

describe('suppress until a time limit', () => {
  it('forwards the last of several changes when the first is due, with the time and headers of the last', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(10));
    harness.change(node, 'a', 1, undefined, 100);
    harness.pipe(node, 'a', 2, 105, [{ key: 'h', value: undefined }]);
    expect(harness.take()).toEqual([]);
    harness.change(node, 'b', 3, undefined, 110);
    expect(harness.take()).toEqual([{ key: 'a', value: 2, at: 105, headers: [{ key: 'h', value: undefined }] }]);
  });

  it('forwards with the old value of the last change, not of the last that was forwarded', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(10));
    harness.change(node, 'a', 1, undefined, 100);
    harness.change(node, 'a', 2, 1, 101);
    harness.change(node, 'a', undefined, 2, 102);
    harness.change(node, 'b', 3, undefined, 110);
    expect(harness.take()).toEqual([{ key: 'a', value: undefined, at: 102, old: 2 }]);
  });

  it('lets those go that are due, in the order of time, then key', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(10));
    harness.change(node, 'c', 1, undefined, 5);
    harness.change(node, 'b', 1, undefined, 7);
    harness.change(node, 'a', 1, undefined, 7);
    harness.change(node, 'd', 1, undefined, 17);
    expect(harness.take().map((change) => change.key)).toEqual(['c', 'a', 'b']);
  });

  it('emits those early that have waited longest when there are too many', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(100, { maxRecords: 2 }));
    for (const [at, name] of ['a', 'b', 'c', 'a'].entries()) harness.change(node, name, at, undefined, at);
    expect(harness.take()).toEqual([
      { key: 'a', value: 0, at: 0 },
      { key: 'b', value: 1, at: 1 },
    ]);
  });

  it('emits early by bytes, too', async () => {
    const { harness, node, buffer } = await startTimeLimit(untilTimeLimit(100, { maxBytes: 100 }));
    for (let at = 0; at < 20; at++) harness.change(node, `key-${at}`, at, undefined, at);
    expect(buffer.bytes).toBeLessThanOrEqual(100);
    expect(harness.take()).toHaveLength(20 - buffer.size);
    expect(buffer.size).toBeGreaterThan(0);
  });

  it('stops when there are too many, if told to', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(100, { maxRecords: 1, whenFull: 'shutDown' }));
    harness.change(node, 'a', 1, undefined, 1);
    expect(() => harness.change(node, 'b', 1, undefined, 2)).toThrow(expect.objectContaining({ code: 'SUPPRESS_BUFFER_FULL' }));
  });

  it('has no limit when it spills', async () => {
    const { harness, node, buffer } = await startTimeLimit(untilTimeLimit(100, { maxBytes: 10, whenFull: 'spill' }));
    for (let at = 0; at < 20; at++) harness.change(node, `key-${at}`, at, undefined, at);
    expect(buffer.size).toBe(20);
    expect(harness.take()).toEqual([]);
  });

  it('shows to others what a waiting row was before', async () => {
    const { harness, node } = await startTimeLimit(untilTimeLimit(10));
    const store = await harness.open(timestampedKeyValueStore('table', key, value));
    const getter = suppressedTableView<string, number>(storedTableView('table'), 'buffer').createGetter();
    const seen: unknown[] = [];
    harness
      .node(() => ({
        init: (context) => getter.init(context),
        process: (name) => seen.push([getter.get(name as string), getter.timestamp]),
      }))
      .process('a', undefined, 0, [], undefined, true);
    store.put('a', { value: 2, timestamp: 5 });
    harness.change(node, 'a', 2, 1, 5);
    seen.push(getter.get('a'));
    harness.change(node, 'a', 3, 2, 6);
    seen.push(getter.get('a'));
    harness.change(node, 'b', 1, undefined, 15);
    seen.push(getter.get('a'), getter.timestamp);
    expect(seen).toEqual([[undefined, -1], 1, 1, 2, 5]);
  });

  it('gives what a naive list of waiting changes gives', async () => {
    const change = fc.record({ name: fc.constantFrom('a', 'b', 'c'), n: fc.nat(5), time: fc.nat(60) });
    const limits = fc.record({ waitMs: fc.nat(20), maxRecords: fc.constantFrom(0, 1, 2, Infinity) });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(change, { maxLength: 40 }), async ({ waitMs, maxRecords }, changes) => {
        const { harness, node } = await startTimeLimit(untilTimeLimit(waitMs, { maxRecords }));
        for (const { name, n, time } of changes) harness.change(node, name, n, undefined, time);
        expect(harness.take()).toEqual(naively(changes, waitMs, maxRecords));
      }),
    );
  });
});

interface Change {
  readonly name: string;
  readonly n: number;
  readonly time: number;
}

function naively(changes: readonly Change[], waitMs: number, maxRecords: number): Forwarded[] {
  const forwarded: Forwarded[] = [];
  let waiting: (Change & { readonly since: number })[] = [];
  let streamTime = -1;
  for (const change of changes) {
    streamTime = Math.max(streamTime, change.time);
    const before = waiting.find(({ name }) => name === change.name);
    waiting = waiting.filter((one) => one !== before);
    waiting.push({ ...change, since: before?.since ?? change.time });
    waiting.sort((a, b) => a.since - b.since || (a.name < b.name ? -1 : 1));
    while (waiting.length > maxRecords || (waiting[0]?.since ?? Infinity) <= streamTime - waitMs) {
      const { name, n, time } = waiting.shift() as Change;
      forwarded.push({ key: name, value: n, at: time });
    }
  }
  return forwarded;
}

describe('suppress until windows close', () => {
  it('forwards one result per window, when stream time has reached its end and the grace', async () => {
    const { harness, node } = await startWindowCloses(5);
    harness.change(node, window('a', 0), 1, undefined, 1);
    harness.change(node, window('a', 0), 2, 1, 9);
    harness.change(node, window('a', 10), 1, undefined, 14);
    expect(harness.take()).toEqual([]);
    harness.change(node, window('a', 10), 2, 1, 15);
    expect(harness.take()).toEqual([{ key: window('a', 0), value: 2, at: 9, old: 1 }]);
  });

  it('says nothing of a result that is a deletion', async () => {
    const { harness, node } = await startWindowCloses(0);
    harness.change(node, window('a', 0), 1, undefined, 1);
    harness.change(node, window('a', 0), undefined, 1, 2);
    harness.change(node, window('b', 0), 2, undefined, 3);
    harness.change(node, window('a', 10), 1, undefined, 10);
    expect(harness.take()).toEqual([{ key: window('b', 0), value: 2, at: 3 }]);
  });
});

describe('options of suppress', () => {
  it.each([
    ['a negative limit', () => untilWindowCloses({ maxRecords: -1 })],
    ['half a record', () => untilTimeLimit(1, { maxRecords: 0.5 })],
    ['spilling without saying from where on', () => untilTimeLimit(1, { whenFull: 'spill' })],
    ['spilling by records', () => untilTimeLimit(1, { whenFull: 'spill', maxBytes: 1, maxRecords: 1 })],
  ])('refuses %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_SUPPRESSION' }));
  });
});
