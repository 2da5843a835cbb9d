import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JoinStore } from '../contracts/stores.ts';
import { joinStore } from '../stores/join-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type StoreModel } from './store-model.ts';
import { StoreRig } from './store-rig.ts';

type Store = JoinStore<string, string>;

const RETENTION_MS = 100;
const SEGMENT_MS = 60_000;
const keys = ['a', 'ab'];

export function describeJoinStores(harness: StateEngineHarness): void {
  describe('join store', () => {
    it.each([
      ['held as they are', string()],
      ['held as bytes', json<string>()],
    ])('behaves like a list of records that expire, values %s', async (_what, serde) => {
      const builder = joinStore('store', string(), serde, { retentionMs: RETENTION_MS, spanMs: 10 });
      await assertBehavesLikeModel(harness, { builder, commands: commands(), createModel: (rig) => new JoinModel(rig) });
    });

    it('numbers the records of its changelog, also beyond a restart', async () => {
      const rig = await StoreRig.open(joinStore('store', string(), string(), { retentionMs: 100, spanMs: 10 }), { harness });
      rig.store.put('k', 'x', 5);
      rig.store.put('k', 'y', 5);
      await rig.commit();
      await rig.reopen();
      rig.store.put('k', 'z', 5);
      await rig.commit();
      const key = (sequence: number) => Buffer.from([...Buffer.from('k'), 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, sequence]);
      expect(rig.changelog).toEqual([
        { timestamp: 5, key: key(1), value: Buffer.from('x') },
        { timestamp: 5, key: key(2), value: Buffer.from('y') },
        { timestamp: 5, key: key(3), value: Buffer.from('z') },
      ]);
      await rig.close();
    });

    it('ignores absent values', async () => {
      const rig = await StoreRig.open(joinStore('store', string(), string(), { retentionMs: 100, spanMs: 10 }), { harness });
      rig.store.put('k', undefined as unknown as string, 5);
      expect(rig.store.fetch('k', 0, 10)).toBe(0);
      await rig.close();
    });
  });
}

interface Command {
  readonly do: 'put' | 'fetch';
  readonly key: string;
  readonly time: number;
  readonly length: number;
  readonly value: string;
}

function commands(): fc.Arbitrary<Command> {
  const time = fc.oneof(
    { weight: 19, arbitrary: fc.nat(150) },
    { weight: 1, arbitrary: fc.constantFrom(59_990, 60_150, 120_100) },
  );
  return fc.record({
    do: fc.constantFrom('put' as const, 'put' as const, 'fetch' as const),
    key: fc.constantFrom(...keys),
    time,
    length: fc.nat(120),
    // Values of different lengths: some lists take several chunks.
    value: fc.tuple(fc.nat(9), fc.constantFrom(0, 1, 300, 2000)).map(([n, length]) => String(n).padEnd(length, '-')),
  });
}

interface Row {
  readonly key: string;
  readonly time: number;
  readonly value: string;
}

class JoinModel implements StoreModel<Store, Command> {
  readonly #rig: () => StoreRig<Store>;
  readonly #rows: Row[];
  #observed: number;

  constructor(rig: () => StoreRig<Store>, rows: readonly Row[] = [], observed = -1) {
    this.#rig = rig;
    this.#rows = [...rows];
    this.#observed = observed;
  }

  run(store: Store, { do: what, key, time, length, value }: Command): void {
    if (what === 'fetch') {
      this.#fetch(store, key, time, time + length);
      return;
    }
    const refusedBefore = this.#rig().refused.length;
    store.put(key, value, time);
    this.#observed = Math.max(this.#observed, time);
    const isRefused = Math.floor(time / SEGMENT_MS) < Math.floor((this.#observed - RETENTION_MS) / SEGMENT_MS);
    expect(this.#rig().refused.length - refusedBefore).toBe(isRefused ? 1 : 0);
    this.#rows.push({ key, time, value });
  }

  #fetch(store: Store, key: string, from: number, to: number): void {
    const expected = this.#rows
      .filter((row) => row.key === key && row.time >= from && row.time <= to && row.time > this.#observed - RETENTION_MS)
      .sort((a, b) => a.time - b.time)
      .map(({ time, value }) => [time, value]);
    const count = store.fetch(key, from, to);
    expect(Array.from({ length: count }, (_, i) => [store.matchTimestamp(i), store.matchValue(i)])).toEqual(expected);
  }

  async compare(store: Store): Promise<void> {
    for (const key of keys) this.#fetch(store, key, 0, Number.MAX_SAFE_INTEGER);
  }

  copy(): JoinModel {
    return new JoinModel(this.#rig, this.#rows, this.#observed);
  }
}
