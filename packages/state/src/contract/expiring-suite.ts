import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../contracts/stores.ts';
import { keyValueStore } from '../stores/key-value-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

const keys = ['a', 'ab', 'b', 'é'];
const ttlMs = 20;
const byteOrder = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));

export function describeExpiringStores(harness: StateEngineHarness): void {
  describe('key-value store with a time to live', () => {
    it('forgets a row when stream time is the time to live beyond its last write', async () => {
      const rig = await StoreRig.open(keyValueStore('store', string(), json<Box>(), { ttlMs }), { harness });
      rig.workOn(100);
      rig.store.put('a', { n: 1 });
      rig.store.put('b', { n: 2 });
      rig.workOn(119);
      rig.store.put('b', { n: 3 });
      expect(rig.store.get('a')).toEqual({ n: 1 });
      rig.workOn(120);
      expect(rig.store.get('a')).toEqual({ n: 1 });
      rig.store.put('c', { n: 4 });
      expect(rig.store.get('a')).toBeUndefined();
      expect(await collect(rig.store.all())).toEqual([
        ['b', { n: 3 }],
        ['c', { n: 4 }],
      ]);
      await rig.close();
    });

    it('gives the row of a late record its full time', async () => {
      const rig = await StoreRig.open(keyValueStore('store', string(), json<Box>(), { ttlMs }), { harness });
      rig.workOn(100);
      rig.store.put('a', { n: 1 });
      rig.workOn(5);
      rig.store.put('b', { n: 2 });
      expect(rig.store.get('b')).toEqual({ n: 2 });
      await rig.commit();
      expect(rig.changelog.map(({ timestamp }) => timestamp)).toEqual([100, 100]);
      await rig.close();
    });

    it('has a changelog that forgets, too', () => {
      const { changelogConfig } = keyValueStore('store', string(), json<Box>(), { ttlMs: 1000 });
      expect(changelogConfig).toEqual({ 'cleanup.policy': 'compact,delete', 'retention.ms': '86401000' });
    });

    it.each([1, ttlMs])('behaves like a map whose rows expire after %d ms', async (lifetimeMs) => {
      await assertBehavesLikeModel(harness, expiringTest(lifetimeMs));
    });
  });
}

export function expiringTest(lifetimeMs: number): ModelTest<KeyValueStore<string, Box>, Command> {
  return {
    builder: keyValueStore('store', string(), json<Box>(), { ttlMs: lifetimeMs }),
    commands: commands(),
    createModel: (rig) => new ExpiringModel(lifetimeMs, (timestamp) => rig().workOn(timestamp)),
  };
}

interface Command {
  readonly do: 'put' | 'putIfAbsent' | 'delete';
  readonly key: string;
  readonly n: number;
  readonly time: number;
}

function commands(): fc.Arbitrary<Command> {
  const what = fc.constantFrom('put' as const, 'put' as const, 'putIfAbsent' as const, 'delete' as const);
  return fc.record({ do: what, key: fc.constantFrom(...keys), n: fc.nat(9), time: fc.nat(90) });
}

interface Row {
  readonly box: Box;
  readonly time: number;
}

class ExpiringModel implements StoreModel<KeyValueStore<string, Box>, Command> {
  readonly #ttlMs: number;
  readonly #workOn: (timestamp: number) => void;
  readonly #rows: Map<string, Row>;
  #streamTime: number;

  constructor(lifetimeMs: number, workOn: (timestamp: number) => void, rows: ReadonlyMap<string, Row> = new Map(), time = -1) {
    this.#ttlMs = lifetimeMs;
    this.#workOn = workOn;
    this.#rows = new Map(rows);
    this.#streamTime = time;
  }

  run(store: KeyValueStore<string, Box>, { do: what, key, n, time }: Command): void {
    this.#workOn(time);
    const before = this.#get(key);
    if (what === 'delete') {
      expect(store.delete(key)).toEqual(before);
      this.#rows.delete(key);
      return;
    }
    if (what === 'putIfAbsent') expect(store.putIfAbsent(key, { n })).toEqual(before);
    else store.put(key, { n });
    if (what === 'putIfAbsent' && before !== undefined) return;
    this.#streamTime = Math.max(this.#streamTime, time);
    this.#rows.set(key, { box: { n }, time: this.#streamTime });
  }

  #get(key: string): Box | undefined {
    const row = this.#rows.get(key);
    return row !== undefined && row.time > this.#streamTime - this.#ttlMs ? row.box : undefined;
  }

  async compare(store: KeyValueStore<string, Box>): Promise<void> {
    for (const key of keys) expect([key, store.get(key)]).toEqual([key, this.#get(key)]);
    const rows = keys
      .toSorted(byteOrder)
      .map((key) => [key, this.#get(key)] as const)
      .filter(([, box]) => box !== undefined);
    expect(await collect(store.all())).toEqual(rows);
    expect(await collect(store.reverseAll())).toEqual(rows.toReversed());
    const between = rows.filter(([key]) => byteOrder(key, 'ab') >= 0 && byteOrder(key, 'b') <= 0);
    expect(await collect(store.range('ab', 'b'))).toEqual(between);
    expect(await collect(store.reverseRange('ab', 'b'))).toEqual(between.toReversed());
    expect(await collect(store.prefixScan(Buffer.from('a')))).toEqual(rows.filter(([key]) => key.startsWith('a')));
  }

  copy(): ExpiringModel {
    return new ExpiringModel(this.#ttlMs, this.#workOn, this.#rows, this.#streamTime);
  }
}
