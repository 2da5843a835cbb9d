import type { FetchedBatch } from '@millrace/client';
import { RecordBatchHeader, type RecordCursor } from '@millrace/wire';

/** Bytes of a batch header: records follow it. Kafka: `DefaultRecordBatch.RECORD_BATCH_OVERHEAD`. */
const HEADER_BYTES = 61;
const COMPRESSION_MASK = 0x07;

/**
 * Puts the cursor before the first record of a fetched batch.
 *
 * The header describes the batch as the broker sent it, the records stand where the fetcher left them: for a compressed batch
 * that is another buffer, so the cursor gets a header which says so.
 */
export function openFetchedBatch(cursor: RecordCursor, batch: FetchedBatch, fromOffset: number): void {
  const { header } = batch;
  const inPlace = header.compressionId === 0 && header.position + HEADER_BYTES === batch.recordsStart;
  cursor.open(batch.buffer, inPlace ? header : relocated(batch), fromOffset);
}

function relocated(batch: FetchedBatch): RecordBatchHeader {
  const header = Object.assign(new RecordBatchHeader(), batch.header);
  header.position = batch.recordsStart - HEADER_BYTES;
  header.sizeInBytes = batch.recordsEnd - header.position;
  header.attributes &= ~COMPRESSION_MASK;
  return header;
}
