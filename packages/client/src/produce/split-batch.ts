import { NO_HEADERS } from '@millrace/core';
import { readBatchHeader, RecordBatchHeader, RecordCursor } from '@millrace/wire';
import { sequenceAfter } from './producer-identity.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';

/**
 * Distributes the records of a batch that the broker found too large (MESSAGE_TOO_LARGE) over two empty ones.
 *
 * The parts together take exactly the sequence numbers of the whole, none of which the broker has accepted: batches that
 * were sent behind it stay valid.
 *
 * Source: Kafka `ProducerBatch.split`; differs: halves the batch instead of filling up to the batch size again.
 */
export function splitBatch(whole: OutgoingBatch, first: OutgoingBatch, second: OutgoingBatch): void {
  const bytes = whole.builder.finish();
  const header = new RecordBatchHeader();
  readBatchHeader(bytes, 0, header);
  const cursor = new RecordCursor();
  cursor.open(bytes, header);
  const half = Math.ceil(whole.builder.count / 2);
  while (cursor.next()) {
    const part = first.builder.count < half ? first : second;
    const headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
    const { buffer, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    part.builder.append(timestamp, buffer, keyStart, keyEnd, buffer, valueStart, valueEnd, headers);
  }
  if (whole.identity === undefined) return;
  first.stamp(whole.identity, whole.baseSequence);
  second.stamp(whole.identity, sequenceAfter(whole.baseSequence, half));
}
