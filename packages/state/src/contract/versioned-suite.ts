import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ValueAndTimestamp, VersionedKeyValueStore } from '../contracts/stores.ts';
import { versionedKeyValueStore } from '../stores/versioned-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

const keys = ['a', 'ab', 'b'];
const historyRetentionMs = 40;
const times = Array.from({ length: 122 }, (_, time) => time);

export function describeVersionedStores(harness: StateEngineHarness): void {
  describe('versioned key-value store', () => {
    const open = () => StoreRig.open(versionedKeyValueStore('store', string(), json<Box>(), { historyRetentionMs }), { harness });

    it('logs every version with its own time, in the order of the puts', async () => {
      const rig = await open();
      rig.workOn(999);
      rig.store.put('a', { n: 1 }, 20);
      rig.store.put('a', { n: 2 }, 10);
      rig.store.delete('a', 15);
      rig.store.put('a', { n: 3 }, 60);
      rig.store.put('b', { n: 4 }, 19);
      await rig.commit();
      expect(rig.refused).toEqual([19]);
      expect(rig.changelog.map(({ timestamp, key, value }) => [timestamp, String(key), value && String(value)])).toEqual([
        [20, 'a', '{"n":1}'],
        [10, 'a', '{"n":2}'],
        [15, 'a', undefined],
        [60, 'a', '{"n":3}'],
      ]);
      await rig.close();
    });

    it('keeps the time of a deletion, so that an older value does not bring the key back', async () => {
      const rig = await open();
      rig.store.put('a', { n: 1 }, 10);
      rig.store.delete('a', 30);
      expect(rig.store.put('a', { n: 2 }, 20)).toBe(30);
      expect(rig.store.get('a')).toBeUndefined();
      expect(rig.store.get('a', 29)).toEqual({ value: { n: 2 }, timestamp: 20 });
      expect(rig.store.put('a', { n: 3 }, 30)).toBe(Infinity);
      expect(rig.store.get('a')).toEqual({ value: { n: 3 }, timestamp: 30 });
      await rig.close();
    });

    it.each([1, 7, 1000])('behaves like a list of versions per key, in segments of %d ms', async (segmentMs) => {
      await assertBehavesLikeModel(harness, versionsTest(segmentMs));
    });
  });
}

export function versionsTest(segmentMs: number): ModelTest<VersionedKeyValueStore<string, Box>, Command> {
  const builder = versionedKeyValueStore('store', string(), json<Box>(), { historyRetentionMs, segmentMs });
  return { builder, commands: commands(), createModel: () => new VersionsModel() };
}

interface Command {
  readonly do: 'put' | 'delete';
  readonly key: string;
  readonly n: number;
  readonly time: number;
}

function commands(): fc.Arbitrary<Command> {
  const key = fc.constantFrom(...keys);
  const what = fc.constantFrom('put' as const, 'put' as const, 'delete' as const);
  return fc.record({ do: what, key, n: fc.nat(9), time: fc.nat(120) });
}

type Versions = ReadonlyMap<number, Box | undefined>;

/** Remembers all that was ever accepted. */
class VersionsModel implements StoreModel<VersionedKeyValueStore<string, Box>, Command> {
  readonly #versions: Map<string, Map<number, Box | undefined>>;
  #observed: number;

  constructor(versions: ReadonlyMap<string, Versions> = new Map(), observed = -1) {
    this.#versions = new Map([...versions].map(([key, list]) => [key, new Map(list)]));
    this.#observed = observed;
  }

  run(store: VersionedKeyValueStore<string, Box>, { do: what, key, n, time }: Command): void {
    const isAccepted = time >= this.#observed - historyRetentionMs;
    const before = isAccepted ? this.#at(key, time) : undefined;
    if (isAccepted) {
      this.#observed = Math.max(this.#observed, time);
      const versions = this.#versions.get(key) ?? new Map<number, Box | undefined>();
      this.#versions.set(key, versions.set(time, what === 'put' ? { n } : undefined));
    }
    if (what === 'put') expect(store.put(key, { n }, time)).toBe(isAccepted ? this.#endOf(key, time) : undefined);
    else expect(store.delete(key, time)).toEqual(before);
    expect(store.lastPut).toBe(isAccepted ? this.#endOf(key, time) : undefined);
  }

  #endOf(key: string, time: number): number {
    return Math.min(...[...(this.#versions.get(key) ?? new Map()).keys()].filter((other) => other > time));
  }

  #at(key: string, time: number): ValueAndTimestamp<Box> | undefined {
    const times = [...(this.#versions.get(key) ?? new Map<number, Box | undefined>()).keys()].filter((other) => other <= time);
    const timestamp = Math.max(...times);
    const value = this.#versions.get(key)?.get(timestamp);
    return value === undefined ? undefined : { value, timestamp };
  }

  #asOf(key: string, time: number): ValueAndTimestamp<Box> | undefined {
    const isKnown = time >= this.#observed - historyRetentionMs || this.#endOf(key, time) === Infinity;
    return isKnown ? this.#at(key, time) : undefined;
  }

  async compare(store: VersionedKeyValueStore<string, Box>): Promise<void> {
    for (const key of keys) {
      expect(store.get(key)).toEqual(this.#at(key, Infinity));
      expect(store.read(store.find(key))).toEqual(this.#at(key, Infinity)?.value);
      expect(store.find(key).timestamp).toBe(this.#at(key, Infinity)?.timestamp ?? -1);
      expect(times.map((time) => store.get(key, time))).toEqual(times.map((time) => this.#asOf(key, time)));
    }
    const latest = keys.map((key) => [key, this.#at(key, Infinity)] as const).filter(([, value]) => value !== undefined);
    expect(await collect(store.all())).toEqual(latest);
  }

  copy(): VersionsModel {
    return new VersionsModel(this.#versions, this.#observed);
  }
}
