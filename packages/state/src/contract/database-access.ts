import type { ByteRange, StateSnapshot } from '../contracts/engine.ts';
import { WriteBatch } from '../write-batch.ts';

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** One operation of a batch, in text. */
export type Operation =
  | readonly ['put', key: string, value: string]
  | readonly ['delete', key: string]
  | readonly ['deleteRange', from: string, to: string];

/** Adds operations to a batch, as an owner of a database would. */
export function batchOf(operations: readonly Operation[], batch = new WriteBatch()): WriteBatch {
  for (const [kind, first, second] of operations) {
    if (kind === 'put') batch.putBytes(bytesOf(first), bytesOf(second));
    else if (kind === 'delete') batch.deleteBytes(bytesOf(first));
    else addDeleteRange(batch, first, second);
  }
  return batch;
}

function addDeleteRange(batch: WriteBatch, from: string, to: string): void {
  batch.begin();
  batch.scratch.writeBytes(bytesOf(from));
  batch.endKey();
  batch.scratch.writeBytes(bytesOf(to));
  batch.deleteRange();
}

/** A database or a snapshot of one. */
type Reads = Omit<StateSnapshot, 'close'>;

export function getText(database: Reads, key: string): string | undefined {
  const value = database.get(bytesOf(key));
  return value === undefined ? undefined : Buffer.from(value).toString('latin1');
}

/** All entries of a range as text. */
export async function entriesOf(database: Reads, range: ByteRange = {}, reverse = false): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  for await (const [key, value] of database.entries(range, { reverse })) {
    rows.push([Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1')]);
  }
  return rows;
}
