import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowStore } from '../contracts/stores.ts';
import { windowStore } from '../stores/window-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type ModelTest, type StoreModel } from './store-model.ts';
import { collect, StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

const options = { windowSizeMs: 10, retentionMs: 1_000_000, retainDuplicates: true };
const keys = ['a', 'ab', 'b'];

export function describeDuplicateWindowStores(harness: StateEngineHarness): void {
  describe('window store that retains duplicates', () => {
    it('numbers its changelog keys, and goes on counting after a restart', async () => {
      const rig = await StoreRig.open(windowStore('store', string(), string(), options), { harness });
      rig.store.put('k', 'first', 5);
      await rig.commit();
      await rig.reopen();
      rig.store.put('k', 'second', 5);
      rig.store.put('k', undefined, 5);
      await rig.commit();
      await rig.move();
      expect(await collect(rig.store.fetchRange('k', 5, 5))).toEqual([
        [5, 'first'],
        [5, 'second'],
      ]);
      const suffixes = rig.changelog.map(({ key }) => key.subarray(1).toString('hex'));
      expect(suffixes).toEqual(['000000000000000500000001', '000000000000000500000002']);
      await rig.close();
    });

    it('has no one answer for a key and time', async () => {
      const rig = await StoreRig.open(windowStore('store', string(), string(), options), { harness });
      expect(() => rig.store.fetch('k', 5)).toThrow(/fetchRange/);
      await rig.close();
    });

    it('behaves like a list to which values are added', async () => {
      await assertBehavesLikeModel(harness, duplicatesTest());
    });
  });
}

export function duplicatesTest(): ModelTest<WindowStore<string, Box>, Command> {
  const builder = windowStore('store', string(), json<Box>(), options);
  return { builder, commands: commands(), createModel: () => new ListModel() };
}

interface Command {
  readonly key: string;
  readonly n: number;
  readonly start: number;
}

function commands(): fc.Arbitrary<Command> {
  return fc.record({ key: fc.constantFrom(...keys), n: fc.nat(9), start: fc.nat(30) });
}

class ListModel implements StoreModel<WindowStore<string, Box>, Command> {
  readonly #puts: Command[];

  constructor(puts: readonly Command[] = []) {
    this.#puts = [...puts];
  }

  run(store: WindowStore<string, Box>, command: Command): void {
    // Zero stands for an absent value, which is ignored.
    store.put(command.key, command.n === 0 ? undefined : { n: command.n }, command.start);
    if (command.n !== 0) this.#puts.push(command);
  }

  async compare(store: WindowStore<string, Box>): Promise<void> {
    for (const key of keys) {
      const own = this.#puts.filter((put) => put.key === key).toSorted((a, b) => a.start - b.start);
      const rows = own.map(({ start, n }) => [start, { n }]);
      expect(await collect(store.fetchRange(key, 0, 30))).toEqual(rows);
      expect(await collect(store.backwardFetchRange(key, 0, 30))).toEqual(rows.toReversed());
      const between = rows.filter(([start]) => (start as number) >= 10 && (start as number) <= 20);
      expect(await collect(store.fetchRange(key, 10, 20))).toEqual(between);
    }
    const sorted = this.#puts.toSorted((a, b) => Buffer.from(a.key).compare(Buffer.from(b.key)) || a.start - b.start);
    const all = sorted.map(({ key, start, n }) => [{ key, window: { start, end: start + 10 } }, { n }]);
    expect(await collect(store.all())).toEqual(all);
  }

  copy(): ListModel {
    return new ListModel(this.#puts);
  }
}
