import { ByteBuffer } from '@millrace/core';
import type { ByteRange, StateDatabase } from '../contracts/engine.ts';
import { asBuffer } from './byte-views.ts';

/** Rows of which some are in memory only: how a scan gets at them. `E` is an entry in memory, `T` a row as scans give it. */
export interface ScanSource<E, T> {
  /** Visits every entry that differs from the database, once. */
  forEachUncommitted(visit: (entry: E) => void): void;
  writeKey(entry: E, target: ByteBuffer): void;
  /** The entry as it is now, safe from later changes; `undefined` when it is deleted. */
  freeze(entry: E): (() => T) | undefined;
  /** A row from the database. */
  decode(value: Buffer): T;
}

export interface ScanOptions {
  readonly database: StateDatabase;
  readonly range: ByteRange;
  readonly reverse: boolean;
  /** Rows of the range that the caller does not want are left out before they are decoded. */
  readonly accepts?: (key: Buffer) => boolean;
}

/** A row met by a scan, with its local key. */
export type ScannedRow<T> = readonly [key: Buffer, row: T];

interface FrozenRow<T> {
  readonly key: Buffer;
  readonly thaw: (() => T) | undefined;
}

/**
 * The rows of a key range as they are when the first of them is asked for: uncommitted ones merged over those in the
 * database, in byte order of the local keys, or in reverse.
 */
export async function* mergedScan<E, T>(source: ScanSource<E, T>, options: ScanOptions): AsyncGenerator<ScannedRow<T>, void> {
  const { database, range, reverse, accepts = () => true } = options;
  const frozen = freezeUncommitted(source, range, reverse);
  const sign = reverse ? -1 : 1;
  let next = 0;
  for await (const [keyBytes, valueBytes] of database.entries(range, { reverse })) {
    const key = asBuffer(keyBytes);
    let order = -1;
    while (next < frozen.length) {
      const { key: frozenKey, thaw } = frozen[next] as FrozenRow<T>;
      order = sign * frozenKey.compare(key);
      if (order > 0) break;
      next++;
      if (thaw !== undefined && accepts(frozenKey)) yield [frozenKey, thaw()];
      if (order === 0) break;
    }
    if (order !== 0 && accepts(key)) yield [key, source.decode(asBuffer(valueBytes))];
  }
  for (; next < frozen.length; next++) {
    const { key, thaw } = frozen[next] as FrozenRow<T>;
    if (thaw !== undefined && accepts(key)) yield [key, thaw()];
  }
}

function freezeUncommitted<E, T>(source: ScanSource<E, T>, range: ByteRange, reverse: boolean): FrozenRow<T>[] {
  const rows: FrozenRow<T>[] = [];
  const scratch = new ByteBuffer(256);
  source.forEachUncommitted((entry) => {
    scratch.clear();
    source.writeKey(entry, scratch);
    const view = scratch.view();
    if (range.gte !== undefined && view.compare(range.gte) < 0) return;
    if (range.lt !== undefined && view.compare(range.lt) >= 0) return;
    rows.push({ key: Buffer.from(view), thaw: source.freeze(entry) });
  });
  const sign = reverse ? -1 : 1;
  return rows.sort((a, b) => sign * a.key.compare(b.key));
}
