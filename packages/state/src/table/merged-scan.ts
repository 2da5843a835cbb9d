import { ByteBuffer } from '@millrace/core';
import type { ByteRange, StateDatabase } from '../contracts/engine.ts';
import { asBuffer } from '../layout/byte-views.ts';
import type { RowTable } from './row-table.ts';

/** A row met by a scan; `key` is the local key. */
export interface ScannedRow<V> {
  readonly key: Buffer;
  readonly value: V;
  readonly timestamp: number;
}

/** A row in memory as it was when the scan began; `held` is `undefined` for one that is deleted. */
interface FrozenRow {
  readonly key: Buffer;
  readonly held: unknown;
  readonly timestamp: number;
}

export interface ScanOptions {
  readonly database: StateDatabase;
  readonly range: ByteRange;
  readonly reverse: boolean;
  /** Rows of the range that the caller does not want are left out before they are decoded. */
  readonly accepts?: (key: Buffer) => boolean;
}

/**
 * The rows of a key range as they are when the first of them is asked for: uncommitted ones merged over those in the
 * database, in byte order of the local keys, or in reverse.
 */
export async function* mergedScan<K, V>(table: RowTable<K, V>, options: ScanOptions): AsyncGenerator<ScannedRow<V>, void> {
  const { database, range, reverse } = options;
  const accepts = options.accepts ?? (() => true);
  const frozen = freezeUncommitted(table, range, reverse);
  const sign = reverse ? -1 : 1;
  let next = 0;
  const thaw = ({ key, held, timestamp }: FrozenRow) => ({ key, value: table.decodeHeld(held), timestamp });
  const wanted = (row: FrozenRow) => row.held !== undefined && accepts(row.key);

  for await (const [keyBytes, valueBytes] of database.entries(range, { reverse })) {
    const key = asBuffer(keyBytes);
    let order = 1;
    for (; next < frozen.length; next++) {
      const row = frozen[next] as FrozenRow;
      order = sign * row.key.compare(key);
      if (order >= 0) break;
      if (wanted(row)) yield thaw(row);
    }
    if (next < frozen.length && order === 0) {
      const row = frozen[next++] as FrozenRow;
      if (wanted(row)) yield thaw(row);
    } else if (accepts(key)) {
      const value = asBuffer(valueBytes);
      yield { key, value: table.decode(value), timestamp: table.timestampOf(value) };
    }
  }
  for (; next < frozen.length; next++) {
    const row = frozen[next] as FrozenRow;
    if (wanted(row)) yield thaw(row);
  }
}

function freezeUncommitted<K, V>(table: RowTable<K, V>, range: ByteRange, reverse: boolean): FrozenRow[] {
  const rows: FrozenRow[] = [];
  const scratch = new ByteBuffer(256);
  table.forEachUncommitted((entry) => {
    scratch.clear();
    table.writeKey(entry, scratch);
    const view = scratch.view();
    if (range.gte !== undefined && view.compare(range.gte) < 0) return;
    if (range.lt !== undefined && view.compare(range.lt) >= 0) return;
    rows.push({ key: Buffer.from(view), held: entry.held, timestamp: entry.timestamp });
  });
  const sign = reverse ? -1 : 1;
  return rows.sort((a, b) => sign * a.key.compare(b.key));
}
