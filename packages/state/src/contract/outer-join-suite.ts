import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JoinSide, OuterJoinStore } from '../contracts/stores.ts';
import { outerJoinStore } from '../stores/join-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type StoreModel } from './store-model.ts';
import { StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

type Store = OuterJoinStore<string, string, Box>;

const createStore = () => outerJoinStore('store', string(), string(), json<Box>(), { spanMs: 100 });

export function describeOuterJoinStores(harness: StateEngineHarness): void {
  describe('outer join store', () => {
    it('behaves like a sorted map of lists', async () => {
      await assertBehavesLikeModel(harness, {
        builder: createStore(),
        commands: commands(),
        createModel: () => new PendingModel(),
      });
    });

    it('writes Kafka Streams keys and list values to its changelog', async () => {
      const rig = await StoreRig.open(createStore(), { harness });
      rig.workOn(9);
      rig.store.put('left', 'k', 'x', 5);
      rig.store.put('left', 'k', 'yz', 5);
      rig.store.put('right', 'k', { n: 1 }, 5);
      await rig.commit();
      rig.store.remove('right', 'k', 5);
      await rig.commit();
      const key = (side: number) => Buffer.from([0, 0, 0, 0, 0, 0, 0, 5, side, ...Buffer.from('k')]);
      const item = (side: number, text: string) => [0, 0, 0, text.length + 1, side, ...Buffer.from(text)];
      expect(rig.changelog).toEqual([
        { timestamp: 9, key: key(1), value: Buffer.from([1, 0, 0, 0, 2, ...item(1, 'x'), ...item(1, 'yz')]) },
        { timestamp: 9, key: key(0), value: Buffer.from([1, 0, 0, 0, 1, ...item(0, '{"n":1}')]) },
        { timestamp: 9, key: key(0), value: undefined },
      ]);
      await rig.close();
    });

    it('lets a scan go on after the list at its cursor is removed and others come', async () => {
      const rig = await StoreRig.open(createStore(), { harness });
      for (const key of ['c', 'a', 'b']) rig.store.put('left', key, key, 7);
      rig.store.rewind();
      expect(rig.store.advance()).toBe(true);
      rig.store.removeCurrent();
      rig.store.put('right', 'z', { n: 1 }, 7);
      expect([rig.store.advance(), rig.store.currentKey]).toEqual([true, 'b']);
      rig.store.rewind();
      expect([rig.store.advance(), rig.store.currentKey, rig.store.currentSide]).toEqual([true, 'z', 'right']);
      await rig.close();
    });

    it('refuses to describe a list before the cursor is at one', async () => {
      const rig = await StoreRig.open(createStore(), { harness });
      expect(() => rig.store.currentKey).toThrow(/advance/);
      await rig.close();
    });
  });
}

interface Command {
  readonly do: 'put' | 'remove' | 'removeFirst' | 'min' | 'scan';
  readonly side: JoinSide;
  readonly key: string;
  readonly time: number;
  readonly n: number;
}

function commands(): fc.Arbitrary<Command> {
  return fc.record({
    do: fc.constantFrom(
      'put' as const,
      'put' as const,
      'put' as const,
      'remove' as const,
      'removeFirst' as const,
      'min' as const,
      'scan' as const,
    ),
    side: fc.constantFrom('left' as const, 'right' as const),
    key: fc.constantFrom('a', 'ab', 'é'),
    time: fc.nat(12).map((n) => n * 40),
    n: fc.nat(9),
  });
}

interface List {
  readonly time: number;
  readonly side: JoinSide;
  readonly key: string;
  readonly values: readonly (string | Box)[];
}

class PendingModel implements StoreModel<Store, Command> {
  readonly #lists: Map<string, List>;

  constructor(lists: ReadonlyMap<string, List> = new Map()) {
    this.#lists = new Map(lists);
  }

  run(store: Store, { do: what, side, key, time, n }: Command): void {
    const name = `${time}|${side}|${key}`;
    if (what === 'put') {
      const value = side === 'left' ? `text ${n}` : { n };
      store.put(side, key, value, time);
      this.#lists.set(name, { time, side, key, values: [...(this.#lists.get(name)?.values ?? []), value] });
    } else if (what === 'remove') {
      store.remove(side, key, time);
      this.#lists.delete(name);
    } else if (what === 'removeFirst') {
      this.#removeFirst(store, n % 3);
    } else if (what === 'min') {
      expect(store.minTimestamp).toBe(this.#sorted()[0]?.time ?? Infinity);
    } else {
      this.#scan(store);
    }
  }

  #removeFirst(store: Store, count: number): void {
    store.rewind();
    for (let i = 0; i < count && store.advance(); i++) {
      this.#lists.delete(`${store.currentTimestamp}|${store.currentSide}|${store.currentKey}`);
      store.removeCurrent();
    }
  }

  #sorted(): List[] {
    const rank = ({ side }: List) => (side === 'right' ? 0 : 1);
    return [...this.#lists.values()].sort(
      (a, b) => a.time - b.time || rank(a) - rank(b) || Buffer.from(a.key).compare(Buffer.from(b.key)),
    );
  }

  #scan(store: Store): void {
    const found: List[] = [];
    store.rewind();
    while (store.advance()) {
      found.push({ time: store.currentTimestamp, side: store.currentSide, key: store.currentKey, values: store.currentValues });
    }
    expect(found).toEqual(this.#sorted());
  }

  async compare(store: Store): Promise<void> {
    expect(store.minTimestamp).toBe(this.#sorted()[0]?.time ?? Infinity);
    this.#scan(store);
  }

  copy(): PendingModel {
    return new PendingModel(this.#lists);
  }
}
