import { type RecordBatchHeader, RecordCursor } from '@millrace/wire';
import type { PartitionLog } from './partition-log.ts';
import { eachBatch } from './replay.ts';
import type { Segment } from './segment.ts';

/**
 * The last offset of each key in a stretch of the log. Records of aborted transactions do not count: what they would have
 * replaced still holds.
 */
export class LatestOffsets {
  readonly #offsets = new Map<string, number>();
  readonly #cursor = new RecordCursor();

  add(log: PartitionLog, segment: Segment): void {
    eachBatch(segment, (records, header) => {
      if (!header.isControl && !isAborted(log, header)) this.#addBatch(records, header, log.logStartOffset);
    });
  }

  /** Whether a later record has the same key. */
  isSuperseded(cursor: RecordCursor): boolean {
    return cursor.offset < (this.#offsets.get(keyOf(cursor)) ?? -1);
  }

  #addBatch(records: Buffer, header: RecordBatchHeader, fromOffset: number): void {
    const cursor = this.#cursor;
    cursor.open(records, header, fromOffset);
    while (cursor.next()) if (cursor.keyStart >= 0) this.#offsets.set(keyOf(cursor), cursor.offset);
  }
}

export function isAborted(log: PartitionLog, header: RecordBatchHeader): boolean {
  return header.isTransactional && log.aborted.covers(header.producerId, header.baseOffset);
}

function keyOf({ buffer, keyStart, keyEnd }: RecordCursor): string {
  return buffer.toString('latin1', keyStart, keyEnd);
}
