import type { WriteBatch } from '../write-batch.ts';

/**
 * Ends an operation that restores a row: behind the store's own part of the local key, written since `WriteBatch.begin`, come key
 * and value as the changelog has them.
 *
 * @param timestamp goes in front of the value; absent for rows without
 * @param valueStart −1 is a tombstone: the row is deleted
 */
export function restoreRow(
  batch: WriteBatch,
  timestamp: number | undefined,
  source: Buffer,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
): void {
  const { scratch } = batch;
  scratch.writeRange(source, keyStart, keyEnd);
  batch.endKey();
  if (valueStart < 0) {
    batch.delete();
    return;
  }
  if (timestamp !== undefined) scratch.writeInt64(timestamp);
  scratch.writeRange(source, valueStart, valueEnd);
  batch.put();
}
