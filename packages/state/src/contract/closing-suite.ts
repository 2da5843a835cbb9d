import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClosingStore, StartIndexedWindowStore } from '../contracts/closing-store.ts';
import type { StateStore, StoreBuilder } from '../contracts/state-store.ts';
import type { SessionStore, TimestampedWindowStore } from '../contracts/stores.ts';
import { sessionStore } from '../stores/session-store.ts';
import { timestampedWindowStore } from '../stores/window-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, type StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

type Emitting = StateStore & ClosingStore<string, Box>;

/** Windows and sessions seen alike: rows by key and time. */
interface ClosingKind<S extends StateStore> {
  readonly builder: StoreBuilder<S>;
  /** A row is closed when the close time is at least so much above its time. */
  readonly closesAfterMs: number;
  put(store: S, key: string, time: number, value: Box | undefined): void;
  get(store: S, key: string, time: number): Box | undefined;
  /** All rows, in no order that is promised. */
  all(store: S): Promise<Row[]>;
}

const RETENTION_MS = 100;
const WINDOW_MS = 10;
const keys = ['a', 'ab', 'b'];

const windowKind: ClosingKind<TimestampedWindowStore<string, Box>> = {
  builder: timestampedWindowStore('store', string(), json<Box>(), {
    windowSizeMs: WINDOW_MS,
    retentionMs: RETENTION_MS,
    closesAfterMs: WINDOW_MS,
    startIndexSpanMs: 25,
  }),
  closesAfterMs: WINDOW_MS,
  put(store, key, time, value) {
    store.write(store.find(key, time), value, time);
  },
  get: (store, key, time) => store.read(store.find(key, time)),
  async all(store) {
    const rows = await collect(store.all());
    return rows.map(([{ key, window }, { value }]) => ({ key, time: window.start, value }));
  },
};

const sessionKind: ClosingKind<SessionStore<string, Box>> = {
  builder: sessionStore('store', string(), json<Box>(), { gapMs: 9, retentionMs: RETENTION_MS, emitsClosed: true }),
  closesAfterMs: 1,
  put: (store, key, time, value) => store.put(key, time, time, value),
  get: (store, key, time) => store.fetchSession(key, time, time),
  async all(store) {
    const rows = await collect(store.all());
    return rows.map(([{ key, window }, value]) => ({ key, time: window.end, value }));
  },
};

export function describeClosingStores(harness: StateEngineHarness): void {
  describe('stores whose rows are emitted once', () => {
    it('window store: gives each closed row once, in order, and keeps it until then', () =>
      assertBehavesLikeModel(harness, closingWindowTest()));
    it('session store: gives each closed row once, in order, and keeps it until then', () =>
      assertBehavesLikeModel(harness, closingSessionTest()));
  });
}

export const closingWindowTest = () => testOf(windowKind);
export const closingSessionTest = () => testOf(sessionKind);

function testOf<S extends StateStore>(kind: ClosingKind<S>): ModelTest<S, Command> {
  return { builder: kind.builder, commands: commands(), createModel: (rig) => new ClosingModel(rig, kind) };
}

interface Command {
  readonly do: 'put' | 'delete' | 'emit';
  readonly key: string;
  readonly time: number;
  readonly n: number;
}

function commands(): fc.Arbitrary<Command> {
  const time = fc.oneof(
    { weight: 9, arbitrary: fc.nat(40).map((n) => n * 5) },
    { weight: 1, arbitrary: fc.constantFrom(59_990, 60_150, 120_100) },
  );
  const what = fc.constantFrom<Command['do']>('put', 'put', 'put', 'delete', 'emit');
  return fc.record({ do: what, key: fc.constantFrom(...keys), time, n: fc.nat(9) });
}

interface Row {
  readonly key: string;
  readonly time: number;
  readonly value: Box;
}

class ClosingModel<S extends StateStore> implements StoreModel<S, Command> {
  readonly #rig: () => StoreRig<S>;
  readonly #kind: ClosingKind<S>;
  #unemitted: readonly Row[] = [];
  /** Emitted or not. */
  #rows: readonly Row[] = [];
  #observed = -1;
  #emittedUntil = -1;

  constructor(rig: () => StoreRig<S>, kind: ClosingKind<S>) {
    this.#rig = rig;
    this.#kind = kind;
  }

  /** As the task does before a restore, from the metadata of the committed offsets. */
  attach(store: S): void {
    emitting(store).resumeEmission(this.#emittedUntil);
  }

  run(store: S, command: Command): void {
    if (command.do === 'emit') this.#emit(store, command.time);
    else this.#put(store, command);
    this.#compareRows(store);
  }

  #emit(store: S, closeTime: number): void {
    if (closeTime <= this.#emittedUntil) return;
    const seen: Row[] = [];
    emitting(store).emitClosed(closeTime, ({ key, window }, value, timestamp) => {
      seen.push({ key, time: timestamp, value });
      expect(this.#kind.closesAfterMs === WINDOW_MS ? window.start : window.end).toBe(timestamp);
    });
    const closed = this.#unemitted.filter(({ time }) => time + this.#kind.closesAfterMs <= closeTime);
    expect(seen).toEqual(closed.toSorted(byTimeAndKey));
    expect(emitting(store).emittedUntil).toBe(closeTime);
    this.#unemitted = this.#unemitted.filter((row) => !closed.includes(row));
    this.#emittedUntil = closeTime;
  }

  /** Operators do not touch rows that have closed, or that are older than the retention and have nothing to come. */
  #put(store: S, { do: what, key, time, n }: Command): void {
    if (time + this.#kind.closesAfterMs <= this.#emittedUntil || !this.#isReadable(time)) return;
    this.#rig().workOn(time);
    const value = what === 'put' ? { n } : undefined;
    this.#kind.put(store, key, time, value);
    this.#observed = Math.max(this.#observed, time);
    const change = (rows: readonly Row[]): readonly Row[] => {
      const others = rows.filter((row) => row.key !== key || row.time !== time);
      return value === undefined ? others : [...others, { key, time, value }];
    };
    this.#unemitted = change(this.#unemitted);
    this.#rows = change(this.#rows);
  }

  #isReadable(time: number): boolean {
    return time > this.#observed - RETENTION_MS || time >= Math.min(...this.#unemitted.map((row) => row.time));
  }

  #compareRows(store: S): void {
    for (const { key, time, value } of this.#unemitted) expect(this.#kind.get(store, key, time)).toEqual(value);
    if (!('findStarts' in store) || this.#kind.closesAfterMs !== WINDOW_MS) return;
    const starts: number[] = [];
    for (const one of keys) {
      (store as unknown as StartIndexedWindowStore<string, Box>).findStarts(one, 20, 150, starts);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      const own = this.#unemitted.filter(({ key, time }) => key === one && time >= 20 && time <= 150).map(({ time }) => time);
      expect(starts).toEqual(expect.arrayContaining(own));
    }
  }

  async compare(store: S): Promise<void> {
    expect(emitting(store).emittedUntil).toBe(this.#emittedUntil);
    this.#compareRows(store);
  }

  /** What is kept for its emission only is nobody else's to see. */
  async compareReader(reader: S): Promise<void> {
    const readable = this.#rows.filter(({ time }) => time > this.#observed - RETENTION_MS);
    expect((await this.#kind.all(reader)).toSorted(byTimeAndKey)).toEqual(readable.toSorted(byTimeAndKey));
    for (const { key, time } of this.#rows) {
      const row = readable.find((one) => one.key === key && one.time === time);
      expect(this.#kind.get(reader, key, time)).toEqual(row?.value);
    }
  }

  copy(): ClosingModel<S> {
    const copy = new ClosingModel(this.#rig, this.#kind);
    copy.#unemitted = this.#unemitted;
    copy.#rows = this.#rows;
    copy.#observed = this.#observed;
    copy.#emittedUntil = this.#emittedUntil;
    return copy;
  }
}

function emitting(store: StateStore): Emitting {
  return store as Emitting;
}

function byTimeAndKey(a: Row, b: Row): number {
  return a.time - b.time || (a.key < b.key ? -1 : 1);
}
