import { SettingsError } from '@millrace/core';
import { type ControlMarker, readControlMarker, RecordBatchHeader, RecordCursor, readBatchHeader } from '@millrace/wire';
import type { TopicRegistry } from '../topics/topic-registry.ts';

/** A record as it lies in a log. */
export interface LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
}

/** A batch as it lies in a log. */
export interface LogBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** −1: of no idempotent producer. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  /** What a control batch says of the transaction that it ends; `undefined` for a batch of data. */
  readonly marker: ControlMarker | undefined;
  /** Whether it belongs to a transaction that was aborted. */
  readonly isAborted: boolean;
  /** Empty for control batches, and where compaction has left nothing. */
  readonly records: readonly LogRecord[];
}

/** @throws SettingsError UNKNOWN_PARTITION */
export function readBatches(topics: TopicRegistry, topic: string, partition: number): LogBatch[] {
  const log = topics.log(topic, partition);
  if (log === undefined) throw new SettingsError('UNKNOWN_PARTITION', `the broker has no partition ${partition} of "${topic}"`);
  const stored = log.segments.all.flatMap((segment) => segment.batches.map((batch) => segment.read(batch)));
  const batches = stored.map((bytes): LogBatch => {
    const header = new RecordBatchHeader();
    readBatchHeader(bytes, 0, header);
    const { baseOffset, lastOffset, producerId, producerEpoch, baseSequence, isTransactional, isControl } = header;
    return {
      baseOffset,
      lastOffset,
      producerId,
      producerEpoch,
      baseSequence,
      isTransactional,
      marker: isControl ? readControlMarker(bytes, header) : undefined,
      isAborted: isTransactional && !isControl && log.aborted.covers(producerId, baseOffset),
      records: isControl ? [] : recordsIn(bytes, header, log.logStartOffset),
    };
  });
  return batches.filter(({ lastOffset }) => lastOffset >= log.logStartOffset);
}

function recordsIn(bytes: Buffer, header: RecordBatchHeader, fromOffset: number): LogRecord[] {
  const cursor = new RecordCursor();
  cursor.open(bytes, header, fromOffset);
  const records: LogRecord[] = [];
  while (cursor.next()) {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: keyStart < 0 ? undefined : Buffer.from(buffer.subarray(keyStart, keyEnd)),
      value: valueStart < 0 ? undefined : Buffer.from(buffer.subarray(valueStart, valueEnd)),
    });
  }
  return records;
}
