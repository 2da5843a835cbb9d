import { expect } from 'vitest';
import type { FlushListener } from '../contracts/state-store.ts';

/** What a downstream table knows from the flush listener alone; checks that each old value is what it was told before. */
export class FlushMirror<K, V> {
  readonly rows: Map<string, V>;
  readonly #nameOf: (key: K) => string;

  constructor(nameOf: (key: K) => string, rows: ReadonlyMap<string, V> = new Map()) {
    this.#nameOf = nameOf;
    this.rows = new Map(rows);
  }

  readonly listener: FlushListener<K, V> = (key, newValue, oldValue) => {
    const name = this.#nameOf(key);
    expect(oldValue).toEqual(this.rows.get(name));
    expect(newValue === undefined && oldValue === undefined).toBe(false);
    if (newValue === undefined) this.rows.delete(name);
    else this.rows.set(name, newValue);
  };

  copy(): FlushMirror<K, V> {
    return new FlushMirror(this.#nameOf, this.rows);
  }
}
