import { int64, string } from '@millrace/core';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { KeyValueStore } from '../contracts/stores.ts';
import { lruStore } from '../stores/lru-store.ts';
import type { ModelTest, StoreModel } from './store-model.ts';
import { collect } from './store-rig.ts';

type Store = KeyValueStore<string, number>;

interface Command {
  readonly do: 'put' | 'get' | 'delete';
  readonly key: string;
  readonly n: number;
}

const MAX_ENTRIES = 3;
const keys = ['a', 'b', 'c', 'd', 'e'];

export function lruTest(): ModelTest<Store, Command> {
  const what = fc.constantFrom<Command['do']>('put', 'put', 'get', 'delete');
  return {
    builder: lruStore('store', string(), int64(), { maxEntries: MAX_ENTRIES }),
    commands: fc.record({ do: what, key: fc.constantFrom(...keys), n: fc.nat(9) }),
    createModel: () => new LruModel(),
  };
}

/** The rows in order of use, the least recent first. */
class LruModel implements StoreModel<Store, Command> {
  #rows: Map<string, number>;
  #store: Store | undefined;

  constructor(rows: Iterable<readonly [string, number]> = [], store?: Store) {
    this.#rows = new Map(rows);
    this.#store = store;
  }

  /** A store that has been opened again knows the rows, and not which was used when. */
  attach(store: Store): void {
    if (store !== this.#store) this.#rows = this.#sorted();
    this.#store = store;
  }

  run(store: Store, { do: what, key, n }: Command): void {
    const before = this.#rows.get(key);
    const after = what === 'put' ? n : what === 'get' ? before : undefined;
    if (what === 'put') store.put(key, n);
    else expect(what === 'get' ? store.get(key) : store.delete(key)).toBe(before);
    this.#rows.delete(key);
    if (after !== undefined) this.#rows.set(key, after);
    for (const first of this.#rows.keys()) if (this.#rows.size > MAX_ENTRIES) this.#rows.delete(first);
  }

  #sorted(): Map<string, number> {
    return new Map([...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  async compare(store: Store): Promise<void> {
    expect(await collect(store.all())).toEqual([...this.#sorted()]);
    expect(await collect(store.reverseAll())).toEqual([...this.#sorted()].toReversed());
  }

  async compareReader(reader: Store): Promise<void> {
    await this.compare(reader);
    for (const key of keys) expect(reader.get(key)).toBe(this.#rows.get(key));
  }

  copy(): LruModel {
    return new LruModel(this.#rows, this.#store);
  }
}
