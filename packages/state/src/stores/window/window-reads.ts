import type { KeyValue, ReadOnlyWindowStore, WindowedKey } from '../../contracts/stores.ts';
import type { WindowScan } from '../window-scan.ts';

type Range<K, R> = AsyncIterable<KeyValue<WindowedKey<K>, R>>;
type RangeOfKey<R> = AsyncIterable<readonly [windowStart: number, value: R]>;

/** The ranges that window stores answer, as scans; absent bounds of keys are open. */
export abstract class WindowReads<K, R> implements Omit<ReadOnlyWindowStore<K, R>, 'name' | 'fetch'> {
  /** Readable rows, in the order of `scanWindows`. */
  protected abstract scan(scan: WindowScan): Range<K, R>;
  /** The key as rows have it; the caller owns the bytes. */
  protected abstract keyBytes(key: K): Buffer;

  fetchRange(key: K, from: number, to: number): RangeOfKey<R> {
    return this.#fetchOne(key, from, to, false);
  }

  backwardFetchRange(key: K, from: number, to: number): RangeOfKey<R> {
    return this.#fetchOne(key, from, to, true);
  }

  async *#fetchOne(key: K, from: number, to: number, reverse: boolean): AsyncGenerator<readonly [number, R], void> {
    for await (const [{ window }, value] of this.#fetchBetween(key, key, from, to, reverse)) yield [window.start, value];
  }

  fetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): Range<K, R> {
    return this.#fetchBetween(keyFrom, keyTo, from, to, false);
  }

  backwardFetchKeys(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number): Range<K, R> {
    return this.#fetchBetween(keyFrom, keyTo, from, to, true);
  }

  fetchAll(from: number, to: number): Range<K, R> {
    return this.#fetchBetween(undefined, undefined, from, to, false);
  }

  backwardFetchAll(from: number, to: number): Range<K, R> {
    return this.#fetchBetween(undefined, undefined, from, to, true);
  }

  all(): Range<K, R> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  backwardAll(): Range<K, R> {
    return this.backwardFetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  #fetchBetween(keyFrom: K | undefined, keyTo: K | undefined, from: number, to: number, reverse: boolean): Range<K, R> {
    return this.scan({ keyFrom: this.#bound(keyFrom), keyTo: this.#bound(keyTo), from, to, reverse });
  }

  #bound(key: K | undefined): Buffer | undefined {
    return key == null ? undefined : this.keyBytes(key);
  }
}
