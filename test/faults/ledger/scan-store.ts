import { json, RetriableError, StreamsError, string } from '@millrace/core';
import type { StoreQueries } from '@millrace/runtime';
import type { LedgerStore } from '../../oracle/ledger/ledger.ts';

/** All stores of the ledger that the oracle compares have keys and values of these kinds. */
const KEY = string();
const VALUE = json<unknown>();

/** Asks a worker for a partition of a store, for all of it. Rows are bytes as latin1 text, as in the log. */
export async function scanStore(queries: StoreQueries, store: LedgerStore, partition: number): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for await (const [key, value] of queries.keyValueStore<string, unknown>(store, { partition }).all())
    rows.set(latin1(KEY.serialize(key, store)), latin1(VALUE.serialize(value, store)));
  return rows;
}

/** True for the answers "not here", "not now" and "not any more", which anybody who asks has to expect. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RetriableError || (error instanceof StreamsError && error.code === 'STREAMS_NOT_RUNNING');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
