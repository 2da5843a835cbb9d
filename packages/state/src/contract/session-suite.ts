import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyValue, SessionRow, SessionStore, WindowedKey } from '../contracts/stores.ts';
import { sessionStore } from '../stores/session-store.ts';
import { FlushMirror } from './flush-mirror.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

type Store = SessionStore<string, Box>;

const SEGMENT_MS = 60_000;
const keys = ['a', 'ab'];

export function describeSessionStores(harness: StateEngineHarness): void {
  describe('session store', () => {
    it.each([
      [10, 100],
      [100, 100],
    ])('behaves like a list of sessions that expire (gap %d, retention %d)', async (gapMs, retentionMs) => {
      await assertBehavesLikeModel(harness, sessionTest(gapMs, retentionMs));
    });

    it('reports each session once per flush when it caches', async () => {
      await assertBehavesLikeModel(harness, cachedSessionTest());
    });

    it('writes Kafka Streams session keys to its changelog, and tombstones only for what it has written', async () => {
      const rig = await StoreRig.open(sessionStore('store', string(), json<Box>(), { retentionMs: 100 }), { harness });
      rig.store.put('k', 1, 3, { n: 1 });
      await rig.commit();
      rig.store.remove('k', 1, 3);
      rig.store.put('k', 1, 2, { n: 2 });
      rig.store.remove('k', 1, 2);
      await rig.commit();
      const key = Buffer.from([...Buffer.from('k'), 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]);
      expect(rig.changelog).toEqual([
        { timestamp: 3, key, value: Buffer.from('{"n":1}') },
        { timestamp: 3, key, value: undefined },
      ]);
      await rig.close();
    });

    it('answers ranges of keys, both ends inclusive, and a key backwards', async () => {
      const rig = await StoreRig.open(sessionStore('store', string(), json<Box>(), { retentionMs: 100 }), { harness });
      for (const [key, start] of [
        ['a', 1],
        ['ab', 2],
        ['b', 3],
        ['a', 9],
      ] as const)
        rig.store.put(key, start, start, { n: start });
      await rig.commit();
      rig.store.put('c', 4, 4, { n: 4 });
      const found = await collect(rig.store.fetchKeys('ab', 'c'));
      expect(found.map(([{ key }]) => key).toSorted()).toEqual(['ab', 'b', 'c']);
      const backwards = [...rig.store.backwardFindSessions('a', 0, 50)];
      expect(backwards.map(([{ window }]) => window.start)).toEqual([9, 1]);
      await rig.close();
    });
  });
}

export function sessionTest(gapMs: number, retentionMs: number): ModelTest<Store, Command> {
  const builder = sessionStore('store', string(), json<Box>(), { gapMs, retentionMs });
  return { builder, commands: commands(), createModel: (rig) => new SessionModel(rig, retentionMs) };
}

export function cachedSessionTest(): ModelTest<Store, Command> {
  const builder = sessionStore('store', string(), json<Box>(), { gapMs: 10, retentionMs: 1_000_000, caching: true });
  return { builder, commands: commands(), createModel: (rig) => new CachedSessionModel(rig, 1_000_000) };
}

interface Command {
  readonly do: 'put' | 'remove' | 'find' | 'fetchSession';
  readonly key: string;
  readonly start: number;
  readonly length: number;
  readonly n: number;
}

function commands(): fc.Arbitrary<Command> {
  const time = fc.oneof(
    { weight: 9, arbitrary: fc.nat(40).map((n) => n * 5) },
    { weight: 1, arbitrary: fc.constantFrom(59_990, 60_150, 120_100) },
  );
  return fc.record({
    do: fc.constantFrom('put' as const, 'put' as const, 'remove' as const, 'find' as const, 'fetchSession' as const),
    key: fc.constantFrom(...keys),
    start: time,
    length: fc.nat(3).map((n) => n * 5),
    n: fc.nat(9),
  });
}

interface Row {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: Box;
}

const nameOf = (key: string, start: number, end: number) => `${key}@${start}-${end}`;

class SessionModel implements StoreModel<Store, Command> {
  readonly rig: () => StoreRig<Store>;
  readonly retentionMs: number;
  readonly rows = new Map<string, Row>();
  observed = -1;

  constructor(rig: () => StoreRig<Store>, retentionMs: number) {
    this.rig = rig;
    this.retentionMs = retentionMs;
  }

  run(store: Store, { do: what, key, start, length, n }: Command): void {
    const end = start + length;
    if (what === 'find') this.#find(store, key, start, end);
    else if (what === 'fetchSession') {
      const name = nameOf(key, start, end);
      expect(store.fetchSession(key, start, end)).toEqual(this.#live().get(name)?.value);
      expect(store.fetchReportedSession(key, start, end)).toEqual(this.#readable(end) ? this.reported(name) : undefined);
    } else this.#put(store, key, start, end, what === 'put' ? { n } : undefined);
  }

  protected reported(name: string): Box | undefined {
    return this.rows.get(name)?.value;
  }

  #put(store: Store, key: string, start: number, end: number, value: Box | undefined): void {
    const refusedBefore = this.rig().refused.length;
    store.put(key, start, end, value);
    this.observed = Math.max(this.observed, end);
    const isRefused = Math.floor(end / SEGMENT_MS) < Math.floor((this.observed - this.retentionMs) / SEGMENT_MS);
    expect(this.rig().refused.length - refusedBefore).toBe(isRefused && this.retentionMs === 100 ? 1 : 0);
    if (!this.#readable(end)) return;
    if (value === undefined) this.rows.delete(nameOf(key, start, end));
    else this.rows.set(nameOf(key, start, end), { key, start, end, value });
  }

  #find(store: Store, key: string, earliestEnd: number, latestStart: number): void {
    const expected = [...this.#live().values()]
      .filter((row) => row.key === key && row.end >= earliestEnd && row.start <= latestStart)
      .sort((a, b) => a.end - b.end || a.start - b.start);
    const found: SessionRow[] = [];
    store.find(key, earliestEnd, latestStart, found);
    expect(found.map((row) => ({ key, start: row.start, end: row.end, value: store.read(row) }))).toEqual(expected);
    expect(found.every((row) => row.timestamp === row.end)).toBe(true);
    expect([...store.findSessions(key, earliestEnd, latestStart)].map(rowOf)).toEqual(expected);
  }

  #readable(end: number): boolean {
    return end > this.observed - this.retentionMs;
  }

  #live(): Map<string, Row> {
    return new Map([...this.rows].filter(([, { end }]) => this.#readable(end)));
  }

  async compare(store: Store): Promise<void> {
    const expected = [...this.#live().values()];
    expect(sorted((await collect(store.all())).map(rowOf))).toEqual(sorted(expected));
    for (const { key, start, end, value } of expected) expect(store.fetchSession(key, start, end)).toEqual(value);
    for (const key of keys) {
      const ofKey = expected.filter((row) => row.key === key).sort((a, b) => a.end - b.end || a.start - b.start);
      expect([...store.fetch(key)].map(rowOf)).toEqual(ofKey);
      expect([...store.backwardFetch(key)].map(rowOf)).toEqual(ofKey.toReversed());
    }
  }

  copy(): SessionModel {
    return this.copyInto(new SessionModel(this.rig, this.retentionMs));
  }

  protected copyInto<M extends SessionModel>(copy: M): M {
    for (const [name, row] of this.rows) copy.rows.set(name, row);
    copy.observed = this.observed;
    return copy;
  }
}

class CachedSessionModel extends SessionModel {
  #mirror = new FlushMirror<WindowedKey<string>, Box>(({ key, window }) => nameOf(key, window.start, window.end));

  attach(store: Store): void {
    expect(store.cached).toBe(true);
    store.setFlushListener(this.#mirror.listener, true);
  }

  flushed(): void {
    expect(this.#mirror.rows).toEqual(new Map([...this.rows].map(([name, { value }]) => [name, value])));
  }

  protected override reported(name: string): Box | undefined {
    return this.#mirror.rows.get(name);
  }

  override copy(): CachedSessionModel {
    const copy = this.copyInto(new CachedSessionModel(this.rig, this.retentionMs));
    copy.#mirror = this.#mirror.copy();
    return copy;
  }
}

function rowOf([{ key, window }, value]: KeyValue<WindowedKey<string>, Box>): Row {
  return { key, start: window.start, end: window.end, value };
}

function sorted(rows: Row[]): Row[] {
  return rows.sort((a, b) => (nameOf(a.key, a.start, a.end) < nameOf(b.key, b.start, b.end) ? -1 : 1));
}
