import { CorruptDataError } from '@millrace/core';
import type { RecordBatchHeader } from './batch-header.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { RecordCursor } from './record-cursor.ts';

/** What a control batch says. Types that later versions of Kafka may add are `other`, and mean nothing to a consumer. */
export type ControlMarker = 'abort' | 'commit' | 'other';

/**
 * Reads the marker of a control batch; `undefined` when the batch is empty, as compaction may leave it.
 *
 * Source: Kafka `ControlRecordType.parse`: the key is version int16, type int16.
 * @throws CorruptDataError when the record has no such key
 */
export function readControlMarker(records: Buffer, header: RecordBatchHeader): ControlMarker | undefined {
  const cursor = new RecordCursor();
  cursor.open(records, header);
  if (!cursor.next()) return undefined;
  if (cursor.keyStart < 0 || cursor.keyEnd - cursor.keyStart < 4) {
    throw new CorruptDataError('CORRUPT_RECORD', 'a control record has no type', { offset: cursor.offset });
  }
  const type = cursor.buffer.readInt16BE(cursor.keyStart + 2);
  return type === 0 ? 'abort' : type === 1 ? 'commit' : 'other';
}

/** What a broker writes to end a transaction in a partition. */
export interface ControlMarkerFields {
  readonly marker: 'abort' | 'commit';
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** Encodes a control batch, ready for a log. Only brokers write them: this is for the development broker and for tests. */
export function encodeControlBatch(fields: ControlMarkerFields): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(fields.marker === 'commit' ? 1 : 0, 2);
  const value = Buffer.alloc(6);
  value.writeInt32BE(fields.coordinatorEpoch, 2);
  const builder = new RecordBatchBuilder(128);
  builder.appendRecord({ timestamp: fields.timestamp, key, value });
  return builder.finish({
    producerId: fields.producerId,
    producerEpoch: fields.producerEpoch,
    transactional: true,
    control: true,
  });
}
