/**
 * Where things stand in a record batch of format version 2 ("magic 2"), the only one that Kafka ≥ 4 writes or serves.
 * Everything is big-endian.
 *
 * Source: Kafka `DefaultRecordBatch`.
 */
export const BASE_OFFSET_AT = 0;
export const BATCH_LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;
/** Size of the header; the records, compressed or not, follow it. */
export const RECORDS_AT = 61;

/** Base offset and length stand in front of what the length counts. */
export const LOG_OVERHEAD = 12;
export const MAGIC = 2;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_FLAG = 0x08;
export const TRANSACTIONAL_FLAG = 0x10;
export const CONTROL_FLAG = 0x20;

/** "No producer id, epoch, sequence": the batch is not idempotent. */
export const NO_PRODUCER = -1;

/** Length, attributes, two deltas, key length, value length and header count take at least a byte each. */
export const RECORD_BYTES_MIN = 7;
