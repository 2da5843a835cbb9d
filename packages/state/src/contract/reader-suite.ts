import { int64, json, type Serde, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import type { StateStore, StoreBuilder } from '../contracts/state-store.ts';
import type { KeyValueStore, SessionStore } from '../contracts/stores.ts';
import { keyValueStore } from '../stores/key-value-store.ts';
import { lruStore } from '../stores/lru-store.ts';
import { sessionStore } from '../stores/session-store.ts';
import { timestampedWindowStore } from '../stores/window-store.ts';
import { closingSessionTest, closingWindowTest } from './closing-suite.ts';
import { countingEngine, ReadCounts } from './counting-engine.ts';
import { duplicatesTest } from './duplicate-window-suite.ts';
import { expiringTest } from './expiring-suite.ts';
import { mapTest, objectKeys, rowTest } from './key-value-suite.ts';
import { lruTest } from './lru-model.ts';
import { cachedSessionTest, sessionTest } from './session-suite.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertReadersSeeCommits } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';
import { versionsTest } from './versioned-suite.ts';
import { cachedWindowTest, windowTest } from './window-suite.ts';

type Check = (harness: StateEngineHarness) => Promise<void>;

const kinds: readonly (readonly [kind: string, check: Check])[] = [
  [
    'key-value store',
    (to) =>
      assertReadersSeeCommits(
        to,
        mapTest(string(), int64() as Serde<unknown>, (n) => n),
      ),
  ],
  [
    'key-value store with keys that are objects',
    (to) =>
      assertReadersSeeCommits(
        to,
        mapTest(objectKeys(), json<unknown>(), (n) => ({ n })),
      ),
  ],
  ['timestamped key-value store', (to) => assertReadersSeeCommits(to, rowTest(false))],
  ['timestamped key-value store that caches', (to) => assertReadersSeeCommits(to, rowTest(true))],
  ['key-value store with a time to live', (to) => assertReadersSeeCommits(to, expiringTest(20))],
  ['LRU store', (to) => assertReadersSeeCommits(to, lruTest())],
  ['versioned key-value store', (to) => assertReadersSeeCommits(to, versionsTest(7))],
  ['window store', (to) => assertReadersSeeCommits(to, windowTest())],
  ['window store that caches', (to) => assertReadersSeeCommits(to, cachedWindowTest())],
  ['window store that retains duplicates', (to) => assertReadersSeeCommits(to, duplicatesTest())],
  ['window store whose rows are emitted once', (to) => assertReadersSeeCommits(to, closingWindowTest())],
  ['session store', (to) => assertReadersSeeCommits(to, sessionTest(10, 100))],
  ['session store that caches', (to) => assertReadersSeeCommits(to, cachedSessionTest())],
  ['session store whose rows are emitted once', (to) => assertReadersSeeCommits(to, closingSessionTest())],
];

export function describeReaders(harness: StateEngineHarness): void {
  describe('reader', () => {
    it.each(kinds)('of a %s shows what was committed when it was opened', (_kind, check) => check(harness));
    describeMovingRows(harness);
    describeLife(harness);
    it.each(largeStores)('of a large %s costs a few look-ups to open', (_kind, large) => assertOpensCheaply(harness, large));
  });
}

/** Rows that a commit moves from one time bucket to another: what shows whether all looks are at the same moment. */
function describeMovingRows(harness: StateEngineHarness): void {
  it('of a session store finds a session once while a commit makes it longer', async () => {
    const rig = await StoreRig.open(sessionStore('store', string(), int64(), { gapMs: 10, retentionMs: 1000 }), { harness });
    rig.store.put('a', 5, 9, 1);
    rig.store.put('b', 5, 15, 1);
    await rig.commit();
    const reader = await rig.openReader();
    const scan = reader.all()[Symbol.asyncIterator]();
    const seen = [(await scan.next()).value];
    rig.store.remove('a', 5, 9);
    rig.store.put('a', 5, 19, 2);
    await rig.commit();
    for (let next = await scan.next(); next.done !== true; next = await scan.next()) seen.push(next.value);
    expect(seen).toEqual([sessionRow('a', 5, 9, 1), sessionRow('b', 5, 15, 1)]);
    expect([...reader.fetch('a')]).toEqual([sessionRow('a', 5, 9, 1)]);
    reader.close();
    await rig.close();
  });

  it('of a store with a time to live finds a row once while a commit writes it again', async () => {
    const rig = await StoreRig.open(keyValueStore('store', string(), int64(), { ttlMs: 20 }), { harness });
    await putAt(rig, 5, 'a', 1);
    await putAt(rig, 15, 'b', 1);
    const reader = await rig.openReader();
    const scan = reader.all()[Symbol.asyncIterator]();
    const seen = [(await scan.next()).value];
    await putAt(rig, 24, 'a', 2);
    await putAt(rig, 24, 'b', 2);
    for (let next = await scan.next(); next.done !== true; next = await scan.next()) seen.push(next.value);
    expect(seen).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect([reader.get('a'), reader.get('b')]).toEqual([1, 1]);
    reader.close();
    await rig.close();
  });
}

function sessionRow(key: string, start: number, end: number, value: number) {
  return [{ key, window: { start, end } }, value];
}

async function putAt(rig: StoreRig<KeyValueStore<string, number>>, time: number, key: string, value: number): Promise<void> {
  rig.workOn(time);
  rig.store.put(key, value);
  await rig.commit();
}

function describeLife(harness: StateEngineHarness): void {
  it('fails when the database is closed while it reads, and can be closed afterwards', async () => {
    const rig = await StoreRig.open(keyValueStore('store', string(), int64()), { harness });
    for (let n = 0; n < 2000; n++) rig.store.put(`key ${n}`, n);
    await rig.commit();
    const reader = await rig.openReader();
    const scan = reader.all()[Symbol.asyncIterator]();
    await scan.next();
    const rest = collect({ [Symbol.asyncIterator]: () => scan });
    const closed = rig.close();
    await expect(rest).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    await closed;
    expect(() => reader.get('key 1')).toThrow(expect.objectContaining({ code: 'STATE_CLOSED' }));
    await expect(collect(reader.all())).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    await expect(rig.openReader()).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    reader.close();
    reader.close();
  });

  it('that is closed while it reads fails, and harms neither the store nor other readers', async () => {
    const rig = await StoreRig.open(keyValueStore('store', string(), int64()), { harness });
    for (let n = 0; n < 2000; n++) rig.store.put(`key ${n}`, n);
    await rig.commit();
    const [reader, other] = [await rig.openReader(), await rig.openReader()];
    const scan = reader.all()[Symbol.asyncIterator]();
    await scan.next();
    reader.close();
    await expect(collect({ [Symbol.asyncIterator]: () => scan })).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    rig.store.put('key 1', 7);
    await rig.commit();
    expect([rig.store.get('key 1'), other.get('key 1')]).toEqual([7, 1]);
    expect(await collect(other.all())).toHaveLength(2000);
    other.close();
    await rig.close();
  });
}

interface LargeStore<S extends StateStore> {
  readonly builder: StoreBuilder<S>;
  put(store: S, n: number): void;
  get(reader: S, n: number): unknown;
}

const ROWS = 10_000;

const closingWindows: LargeStore<ReturnType<ReturnType<typeof closingWindowStore>['build']>> = {
  builder: closingWindowStore(),
  put: (store, n) => store.put(`key ${n}`, { value: n, timestamp: n }, n),
  get: (reader, n) => reader.fetch(`key ${n}`, n)?.value,
};

function closingWindowStore() {
  const options = { windowSizeMs: 10, retentionMs: 1_000_000, closesAfterMs: 10, startIndexSpanMs: 10 };
  return timestampedWindowStore('store', string(), int64(), options);
}

const closingSessions: LargeStore<SessionStore<string, number>> = {
  builder: sessionStore('store', string(), int64(), { gapMs: 10, retentionMs: 1_000_000, emitsClosed: true }),
  put: (store, n) => store.put(`key ${n}`, n, n, n),
  get: (reader, n) => reader.fetchSession(`key ${n}`, n, n),
};

const lru: LargeStore<KeyValueStore<string, number>> = {
  builder: lruStore('store', string(), int64(), { maxEntries: ROWS }),
  put: (store, n) => store.put(`key ${n}`, n),
  get: (reader, n) => reader.get(`key ${n}`),
};

const largeStores: readonly (readonly [kind: string, large: LargeStore<never>])[] = [
  ['window store with a start index, whose rows are emitted once', closingWindows as unknown as LargeStore<never>],
  ['session store whose rows are emitted once', closingSessions as unknown as LargeStore<never>],
  ['LRU store', lru as unknown as LargeStore<never>],
];

async function assertOpensCheaply(harness: StateEngineHarness, large: LargeStore<never>): Promise<void> {
  const { builder, put, get } = large as unknown as LargeStore<StateStore>;
  const counts = new ReadCounts();
  const createEngine = () => countingEngine(harness.createEngine(), counts);
  const rig = await StoreRig.open(builder, { harness: { ...harness, createEngine } });
  for (let n = 0; n < ROWS; n++) put(rig.store, n);
  await rig.commit();
  counts.reset();
  const reader = await rig.openReader();
  expect(counts).toMatchObject({ gets: 1, rows: 0 });
  expect(get(reader, 77)).toBe(77);
  expect(counts).toMatchObject({ gets: 2, rows: 0 });
  reader.close();
  await rig.close();
}
