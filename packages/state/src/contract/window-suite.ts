import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimestampedWindowStore, ValueAndTimestamp, WindowedKey } from '../contracts/stores.ts';
import { timestampedWindowStore, windowStore } from '../stores/window-store.ts';
import { FlushMirror } from './flush-mirror.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

type Store = TimestampedWindowStore<string, Box>;

const RETENTION_MS = 100_000;
/** Kafka Streams' segments for that retention. */
const SEGMENT_MS = 60_000;
const WINDOW_MS = 10_000;
const keys = ['a', 'ab', 'b'];

export function describeWindowStores(harness: StateEngineHarness): void {
  describe('window store', () => {
    describeExamples(harness);
  });

  describe('timestamped window store', () => {
    it('behaves like a list of rows that expire', async () => {
      await assertBehavesLikeModel(harness, windowTest());
    });

    it('reports each row once per flush when it caches', async () => {
      await assertBehavesLikeModel(harness, cachedWindowTest());
    });
  });
}

function describeExamples(harness: StateEngineHarness): void {
  const builder = windowStore('store', string(), json<number>(), { windowSizeMs: 10, retentionMs: 100 });

  it('hides a row exactly when its start is not above observed time − retention', async () => {
    const rig = await StoreRig.open(builder, { harness });
    rig.store.put('a', 1, 50);
    rig.store.put('b', 2, 149);
    expect(rig.store.fetch('a', 50)).toBe(1);
    rig.store.put('b', 3, 150);
    expect(rig.store.fetch('a', 50)).toBeUndefined();
    expect(await collect(rig.store.fetchRange('a', 0, 200))).toEqual([]);
    await rig.close();
  });

  it('refuses a row only when its whole segment is gone', async () => {
    const rig = await StoreRig.open(builder, { harness });
    rig.store.put('a', 1, 60_100);
    rig.store.put('a', 2, 60_000);
    expect(rig.refused).toEqual([]);
    rig.store.put('a', 3, 59_999);
    expect(rig.refused).toEqual([59_999]);
    expect(await collect(rig.store.all())).toEqual([[{ key: 'a', window: { start: 60_100, end: 60_110 } }, 1]]);
    await rig.close();
  });

  it('writes Kafka Streams window keys and bare values to its changelog', async () => {
    const rig = await StoreRig.open(builder, { harness });
    rig.workOn(77);
    rig.store.put('key', 5, 0x0102);
    await rig.commit();
    const key = Buffer.from([...Buffer.from('key'), 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0]);
    expect(rig.changelog).toEqual([{ timestamp: 77, key, value: Buffer.from('5') }]);
    await rig.close();
  });

  it('answers ranges of keys and times, both ends inclusive, forwards and backwards', async () => {
    const rig = await StoreRig.open(builder, { harness });
    for (const [key, start] of [
      ['a', 0],
      ['a', 10],
      ['ab', 10],
      ['b', 10],
      ['a', 20],
    ] as const)
      rig.store.put(key, start, start);
    await rig.commit();
    rig.store.put('c', 10, 10);
    const names = async (rows: AsyncIterable<readonly [WindowedKey<string>, number]>) =>
      (await collect(rows)).map(([{ key, window }]) => `${key}@${window.start}`);
    expect(await collect(rig.store.fetchRange('a', 1, 20))).toEqual([
      [10, 10],
      [20, 20],
    ]);
    expect(await collect(rig.store.backwardFetchRange('a', 0, 10))).toEqual([
      [10, 10],
      [0, 0],
    ]);
    expect(await names(rig.store.fetchKeys('ab', 'b', 0, 20))).toEqual(['ab@10', 'b@10']);
    expect(await names(rig.store.fetchKeys(undefined, 'a', 5, 15))).toEqual(['a@10']);
    expect(await names(rig.store.fetchAll(10, 10))).toEqual(['a@10', 'ab@10', 'b@10', 'c@10']);
    expect(await names(rig.store.backwardFetchKeys('ab', 'b', 0, 20))).toEqual(['b@10', 'ab@10']);
    expect(await names(rig.store.backwardFetchAll(10, 10))).toEqual(['c@10', 'b@10', 'ab@10', 'a@10']);
    expect((await names(rig.store.backwardAll())).toReversed()).toEqual(await names(rig.store.all()));
    await rig.close();
  });
}

export function windowTest(): ModelTest<Store, Command> {
  const options = { windowSizeMs: WINDOW_MS, retentionMs: RETENTION_MS };
  const builder = timestampedWindowStore('store', string(), json<Box>(), options);
  return { builder, commands: commands(), createModel: (rig) => new WindowModel(rig, RETENTION_MS) };
}

export function cachedWindowTest(): ModelTest<Store, Command> {
  const retentionMs = 1_000_000;
  const options = { windowSizeMs: WINDOW_MS, retentionMs, caching: true };
  const builder = timestampedWindowStore('store', string(), json<Box>(), options);
  return { builder, commands: commands(), createModel: (rig) => new CachedWindowModel(rig, retentionMs) };
}

interface Command {
  readonly do: 'put' | 'delete' | 'fetch' | 'fetchRange';
  readonly key: string;
  readonly start: number;
  readonly n: number;
}

function commands(): fc.Arbitrary<Command> {
  return fc.record({
    do: fc.constantFrom('put' as const, 'put' as const, 'put' as const, 'delete' as const, 'fetch' as const),
    key: fc.constantFrom(...keys),
    start: fc.nat(40).map((n) => n * WINDOW_MS),
    n: fc.nat(9),
  });
}

interface Row {
  readonly key: string;
  readonly start: number;
  readonly row: ValueAndTimestamp<Box>;
}

class WindowModel implements StoreModel<Store, Command> {
  readonly rig: () => StoreRig<Store>;
  readonly retentionMs: number;
  readonly rows = new Map<string, Row>();
  observed = -1;

  constructor(rig: () => StoreRig<Store>, retentionMs: number) {
    this.rig = rig;
    this.retentionMs = retentionMs;
  }

  run(store: Store, { do: what, key, start, n }: Command): void {
    const known = this.#readable(start) ? this.rows.get(`${key}@${start}`)?.row : undefined;
    if (what === 'fetch') {
      expect(store.fetch(key, start)).toEqual(known);
      return;
    }
    const row = store.find(key, start);
    expect([row.timestamp, store.read(row)]).toEqual([known?.timestamp ?? -1, known?.value]);
    if (this.#readable(start)) expect(store.readReported(row)).toEqual(this.reported(`${key}@${start}`));
    const refusedBefore = this.rig().refused.length;
    store.write(row, what === 'put' ? { n } : undefined, start + n);
    this.observed = Math.max(this.observed, start);
    const isRefused = Math.floor(start / SEGMENT_MS) < Math.floor((this.observed - this.retentionMs) / SEGMENT_MS);
    expect(this.rig().refused.length - refusedBefore).toBe(isRefused && this.retentionMs === RETENTION_MS ? 1 : 0);
    if (!this.#readable(start)) return;
    if (what === 'put') this.rows.set(`${key}@${start}`, { key, start, row: { value: { n }, timestamp: start + n } });
    else this.rows.delete(`${key}@${start}`);
  }

  protected reported(name: string): Box | undefined {
    return this.rows.get(name)?.row.value;
  }

  #readable(start: number): boolean {
    return start > this.observed - this.retentionMs;
  }

  async compare(store: Store): Promise<void> {
    const all = [...this.rows.values()].filter(({ start }) => this.#readable(start)).sort(byKeyAndStart);
    const found = (await collect(store.all())).map(([{ key, window }, row]) => ({ key, start: window.start, row }));
    expect(found.sort(byKeyAndStart)).toEqual(all);
    expect((await collect(store.backwardAll())).toReversed()).toEqual(await collect(store.all()));
    for (const { key, start, row } of all) expect(store.fetch(key, start)).toEqual(row);
    for (const one of keys) {
      const ofKey = all.filter(({ key }) => key === one).map(({ start, row }) => [start, row]);
      expect(await collect(store.fetchRange(one, 0, Number.MAX_SAFE_INTEGER))).toEqual(ofKey);
      expect(await collect(store.backwardFetchRange(one, 0, Number.MAX_SAFE_INTEGER))).toEqual(ofKey.toReversed());
    }
  }

  copy(): WindowModel {
    return this.copyInto(new WindowModel(this.rig, this.retentionMs));
  }

  protected copyInto<M extends WindowModel>(copy: M): M {
    for (const [name, row] of this.rows) copy.rows.set(name, row);
    copy.observed = this.observed;
    return copy;
  }
}

class CachedWindowModel extends WindowModel {
  #mirror = new FlushMirror<WindowedKey<string>, Box>(({ key, window }) => `${key}@${window.start}`);

  attach(store: Store): void {
    expect(store.cached).toBe(true);
    store.setFlushListener(this.#mirror.listener, true);
  }

  flushed(): void {
    expect(this.#mirror.rows).toEqual(new Map([...this.rows].map(([name, { row }]) => [name, row.value])));
  }

  protected override reported(name: string): Box | undefined {
    return this.#mirror.rows.get(name);
  }

  override copy(): CachedWindowModel {
    const copy = this.copyInto(new CachedWindowModel(this.rig, this.retentionMs));
    copy.#mirror = this.#mirror.copy();
    return copy;
  }
}

function byKeyAndStart(a: Row, b: Row): number {
  return a.key === b.key ? a.start - b.start : a.key < b.key ? -1 : 1;
}
