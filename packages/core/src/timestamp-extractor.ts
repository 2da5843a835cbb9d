import type { Headers } from './headers.ts';
import { ProcessingError } from './errors.ts';

/** What an extractor sees of a record. The object is reused: do not keep it. */
export interface ConsumedRecord<K = unknown, V = unknown> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The timestamp in the record; −1 when the producer set none. */
  readonly timestamp: number;
  readonly key: K;
  readonly value: V;
  readonly headers: Headers;
}

/**
 * Gives a record its event time in milliseconds. A negative result skips the record (counted as dropped).
 *
 * @param partitionTime highest timestamp taken from this partition so far, −1 at first
 * Source: Kafka Streams `TimestampExtractor`.
 */
export type TimestampExtractor<K = unknown, V = unknown> = (record: ConsumedRecord<K, V>, partitionTime: number) => number;

/** The record's own timestamp; a missing one stops the worker. The default, as in Kafka Streams. */
export const failOnInvalidTimestamp: TimestampExtractor = (record) => {
  if (record.timestamp >= 0) return record.timestamp;
  throw new ProcessingError(
    'INVALID_TIMESTAMP',
    'the record has no valid timestamp; give the source another timestamp extractor, or fix the producer',
    { topic: record.topic, partition: record.partition, offset: record.offset },
  );
};

/** The record's own timestamp; a record without one is skipped. */
export const logAndSkipOnInvalidTimestamp: TimestampExtractor = (record) => record.timestamp;

/** The record's own timestamp; a record without one takes the partition time, and stops the worker if there is none yet. */
export const usePartitionTimeOnInvalidTimestamp: TimestampExtractor = (record, partitionTime) => {
  if (record.timestamp >= 0) return record.timestamp;
  return partitionTime >= 0 ? partitionTime : failOnInvalidTimestamp(record, partitionTime);
};
