import { int64, json, type Serde, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp } from '../contracts/stores.ts';
import { keyValueStore, timestampedKeyValueStore } from '../stores/key-value-store.ts';
import { FlushMirror } from './flush-mirror.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

/** A value that is held as bytes, so that what a store gives out can be changed without harm. */
interface Box {
  n: number;
}

const keys = ['a', 'ab', 'b', 'a\u0000', 'é', ''];
const byteOrder = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));

export function describeKeyValueStores(harness: StateEngineHarness): void {
  describe('key-value store', () => {
    describeExamples(harness);

    it.each([
      ['values that are held as they are', int64() as Serde<unknown>, (n: number) => n as unknown],
      ['values that are held as bytes', json<Box>() as Serde<unknown>, (n: number) => ({ n }) as unknown],
    ])('behaves like a map, with %s', async (_what, serde, make) => {
      await assertBehavesLikeModel(harness, mapTest(string(), serde, make));
    });

    it('behaves like a map with keys that are objects', async () => {
      await assertBehavesLikeModel(
        harness,
        mapTest(objectKeys(), int64() as Serde<unknown>, (n) => n),
      );
    });
  });

  describe('timestamped key-value store', () => {
    it.each([false, true])('behaves like a map of values with timestamps (caching: %s)', async (caching) => {
      await assertBehavesLikeModel(harness, rowTest(caching));
    });

    it('reports a row that comes and goes between two flushes only when somebody has seen it', async () => {
      const rig = await StoreRig.open(timestampedKeyValueStore('store', string(), json<Box>(), { caching: true }), { harness });
      const reported: unknown[] = [];
      rig.store.setFlushListener((key, newValue, oldValue) => reported.push([key, newValue, oldValue]), true);
      for (const isSeen of [false, true, false]) {
        for (const key of ['a', 'b']) rig.store.write(rig.store.find(key), { n: 1 }, 1);
        if (isSeen) rig.store.markSeen(rig.store.find('a'));
        for (const key of ['a', 'b']) rig.store.write(rig.store.find(key), undefined, 2);
        await rig.commit();
      }
      expect(reported).toEqual([['a', undefined, undefined]]);
      expect(rig.changelog).toEqual([]);
      await rig.close();
    });
  });
}

function describeExamples(harness: StateEngineHarness): void {
  const open = () => StoreRig.open(keyValueStore('store', string(), json<Box>()), { harness });

  it('gives each reader an object of its own', async () => {
    const rig = await open();
    const mine = { n: 1 };
    rig.store.put('a', mine);
    mine.n = 2;
    (rig.store.get('a') as Box).n = 3;
    expect(rig.store.get('a')).toEqual({ n: 1 });
    await rig.close();
  });

  it('treats null like undefined: a delete', async () => {
    const rig = await open();
    rig.store.put('a', { n: 1 });
    rig.store.put('a', null as unknown as undefined);
    expect(rig.store.get('a')).toBeUndefined();
    expect(await collect(rig.store.all())).toEqual([]);
    await rig.close();
  });

  it('refuses an absent key', async () => {
    const rig = await open();
    expect(() => rig.store.get(undefined as unknown as string)).toThrow(/absent key/);
    await rig.close();
  });

  it('lets a loop over its rows change it', async () => {
    const rig = await open();
    for (const key of ['a', 'b', 'c']) rig.store.put(key, { n: 1 });
    await rig.commit();
    rig.store.put('d', { n: 1 });
    for await (const [key] of rig.store.all()) rig.store.delete(key);
    expect(await collect(rig.store.all())).toEqual([]);
    await rig.close();
  });

  it('writes nothing for a row that comes and goes between two commits', async () => {
    const rig = await open();
    rig.store.put('a', { n: 1 });
    rig.store.delete('a');
    await rig.commit();
    expect(rig.changelog).toEqual([]);
    await rig.close();
  });
}

/** @param make the value of a number */
export function mapTest(
  keySerde: Serde<string>,
  serde: Serde<unknown>,
  make: (n: number) => unknown,
): ModelTest<KeyValueStore<string, unknown>, Command> {
  return { builder: keyValueStore('store', keySerde, serde), commands: commands(), createModel: () => new MapModel(make) };
}

export function rowTest(caching: boolean): ModelTest<TimestampedKeyValueStore<string, Box>, Command> {
  const builder = timestampedKeyValueStore('store', string(), json<Box>(), { caching });
  return { builder, commands: commands(), createModel: () => new RowModel(caching) };
}

type Command =
  | { readonly do: 'put' | 'putIfAbsent'; readonly key: string; readonly n: number; readonly time: number }
  | { readonly do: 'delete' | 'get' | 'scan'; readonly key: string; readonly to: string };

function commands(): fc.Arbitrary<Command> {
  const key = fc.constantFrom(...keys);
  return fc.oneof(
    fc.record({ do: fc.constantFrom('put' as const, 'putIfAbsent' as const), key, n: fc.nat(9), time: fc.nat(100) }),
    fc.record({ do: fc.constantFrom('delete' as const, 'get' as const), key, to: key }),
  );
}

/** JSON keys whose bytes sort like those of the text inside. */
export function objectKeys(): Serde<string> {
  return {
    name: 'object-key',
    serialize: (value) => Buffer.from(value, 'utf8'),
    deserialize: (bytes) => Buffer.from(bytes).toString('utf8'),
  };
}

class MapModel implements StoreModel<KeyValueStore<string, unknown>, Command> {
  readonly #make: (n: number) => unknown;
  readonly #rows: Map<string, unknown>;

  constructor(make: (n: number) => unknown, rows: ReadonlyMap<string, unknown> = new Map()) {
    this.#make = make;
    this.#rows = new Map(rows);
  }

  run(store: KeyValueStore<string, unknown>, command: Command): void {
    const before = this.#rows.get(command.key);
    if (command.do === 'put') {
      store.put(command.key, this.#make(command.n));
      this.#rows.set(command.key, this.#make(command.n));
    } else if (command.do === 'putIfAbsent') {
      expect(store.putIfAbsent(command.key, this.#make(command.n))).toEqual(before);
      if (before === undefined) this.#rows.set(command.key, this.#make(command.n));
    } else if (command.do === 'delete') {
      expect(store.delete(command.key)).toEqual(before);
      this.#rows.delete(command.key);
    } else {
      expect(store.get(command.key)).toEqual(before);
    }
  }

  async compare(store: KeyValueStore<string, unknown>): Promise<void> {
    const sorted = [...this.#rows].sort(([a], [b]) => byteOrder(a, b));
    expect(await collect(store.all())).toEqual(sorted);
    expect(await collect(store.reverseAll())).toEqual(sorted.toReversed());
    const between = sorted.filter(([key]) => byteOrder(key, 'a') >= 0 && byteOrder(key, 'b') <= 0);
    expect(await collect(store.range('a', 'b'))).toEqual(between);
    expect(await collect(store.reverseRange('a', 'b'))).toEqual(between.toReversed());
    expect(await collect(store.prefixScan(Buffer.from('a')))).toEqual(sorted.filter(([key]) => key.startsWith('a')));
    for (const key of keys) expect(store.get(key)).toEqual(this.#rows.get(key));
  }

  copy(): MapModel {
    return new MapModel(this.#make, this.#rows);
  }
}

type Rows = Map<string, ValueAndTimestamp<Box>>;

/** Rows are used as the record path does: found, read, written. */
class RowModel implements StoreModel<TimestampedKeyValueStore<string, Box>, Command> {
  readonly #caching: boolean;
  readonly #rows: Rows;
  readonly #mirror: FlushMirror<string, Box>;

  constructor(caching: boolean, rows: Rows = new Map(), mirror = new FlushMirror<string, Box>((key) => key)) {
    this.#caching = caching;
    this.#rows = new Map(rows);
    this.#mirror = mirror.copy();
  }

  attach(store: TimestampedKeyValueStore<string, Box>): void {
    expect(store.cached).toBe(this.#caching);
    store.setFlushListener(this.#mirror.listener, true);
  }

  run(store: TimestampedKeyValueStore<string, Box>, command: Command): void {
    const before = this.#rows.get(command.key);
    const row = store.find(command.key);
    expect(row.timestamp).toBe(before?.timestamp ?? -1);
    expect(store.read(row)).toEqual(before?.value);
    expect(store.readReported(row)).toEqual(this.#caching ? this.#mirror.rows.get(command.key) : before?.value);
    if (command.do === 'put' || command.do === 'putIfAbsent') {
      store.write(row, { n: command.n }, command.time);
      this.#rows.set(command.key, { value: { n: command.n }, timestamp: command.time });
    } else if (command.do === 'delete') {
      store.write(row, undefined, 5);
      this.#rows.delete(command.key);
    }
  }

  flushed(): void {
    if (this.#caching) expect(this.#mirror.rows).toEqual(new Map([...this.#rows].map(([key, { value }]) => [key, value])));
  }

  async compare(store: TimestampedKeyValueStore<string, Box>): Promise<void> {
    expect(await collect(store.all())).toEqual([...this.#rows].sort(([a], [b]) => byteOrder(a, b)));
    for (const key of keys) expect(store.get(key)).toEqual(this.#rows.get(key));
  }

  copy(): RowModel {
    return new RowModel(this.#caching, this.#rows, this.#mirror);
  }
}
