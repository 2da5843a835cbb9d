import { ByteBuffer } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import type { KeyValue, WindowedKey } from '../../contracts/stores.ts';
import { type KeySpace, ROW_TAG } from '../../layout/key-space.ts';
import { mergedScan } from '../../layout/merged-scan.ts';
import { BUCKET_PREFIX_BYTES } from '../../layout/retention.ts';
import type { KeyCodec } from '../../overlay/key-codec.ts';
import type { SessionLists } from './session-lists.ts';

export interface SessionScan<K, V> {
  readonly lists: SessionLists<K, V>;
  readonly database: StateDatabase;
  readonly space: KeySpace;
  readonly keys: KeyCodec<K>;
  /** Sessions that ended before are expired. */
  readonly oldest: number;
  /** Bounds of the serialised keys, inclusive; absent: open. */
  readonly from: K | undefined;
  readonly to: K | undefined;
}

/** The sessions of a range of keys: bucket of the end by bucket, and in each by key. */
export async function* scanSessions<K, V>(scan: SessionScan<K, V>): AsyncGenerator<KeyValue<WindowedKey<K>, V>, void> {
  const { lists, database, space, keys, oldest } = scan;
  const [from, to] = [bytesOf(keys, scan.from), bytesOf(keys, scan.to)];
  const range = { gte: space.bound(ROW_TAG), lt: space.bound(ROW_TAG + 1) };
  const accepts = (row: Buffer) => isBetween(row, from, to);
  for await (const [rowKey, sessions] of mergedScan(lists, { database, range, reverse: false, accepts })) {
    const key = keys.key(keys.identityAt(rowKey, BUCKET_PREFIX_BYTES, rowKey.length));
    for (const { start, end, value } of sessions) if (end >= oldest) yield [{ key, window: { start, end } }, value];
  }
}

function bytesOf<K>(keys: KeyCodec<K>, key: K | undefined): Buffer | undefined {
  if (key == null) return undefined;
  const target = new ByteBuffer(64);
  keys.write(keys.identity(key), target);
  return target.view();
}

function isBetween(row: Buffer, from: Buffer | undefined, to: Buffer | undefined): boolean {
  if (from !== undefined && row.compare(from, 0, from.length, BUCKET_PREFIX_BYTES) < 0) return false;
  return to === undefined || row.compare(to, 0, to.length, BUCKET_PREFIX_BYTES) <= 0;
}
