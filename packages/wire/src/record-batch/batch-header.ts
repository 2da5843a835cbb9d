import { CorruptDataError, readInt64 } from '@millrace/core';
import { crc32c } from '../checksum/crc32c.ts';
import * as at from './batch-layout.ts';

/** The header of a record batch; one object is filled again and again. Offsets and timestamps are JS numbers. */
export class RecordBatchHeader {
  /** Where the batch starts in the buffer it was read from. */
  position = 0;
  /** Bytes of the whole batch, header included. */
  sizeInBytes = 0;
  baseOffset = 0;
  partitionLeaderEpoch = 0;
  crc = 0;
  attributes = 0;
  lastOffsetDelta = 0;
  baseTimestamp = 0;
  maxTimestamp = 0;
  producerId = at.NO_PRODUCER;
  producerEpoch = at.NO_PRODUCER;
  baseSequence = at.NO_PRODUCER;
  recordCount = 0;

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get compressionId(): number {
    return this.attributes & at.COMPRESSION_MASK;
  }

  /** True when the broker stamped the batch: all its records carry `maxTimestamp`. */
  get hasLogAppendTime(): boolean {
    return (this.attributes & at.LOG_APPEND_TIME_FLAG) !== 0;
  }

  get isTransactional(): boolean {
    return (this.attributes & at.TRANSACTIONAL_FLAG) !== 0;
  }

  /** True for commit and abort markers, which are never user data. */
  get isControl(): boolean {
    return (this.attributes & at.CONTROL_FLAG) !== 0;
  }
}

/**
 * Reads the header of the batch that starts at `position`.
 *
 * @param end where the record set ends in `buffer`
 * @returns false when the batch is not completely there: brokers cut the last batch of a fetch wherever the size limit falls
 * @throws CorruptDataError when the bytes cannot be a batch, `UNSUPPORTED_RECORD_FORMAT` for the formats of Kafka < 0.11
 */
export function readBatchHeader(buffer: Buffer, position: number, into: RecordBatchHeader, end = buffer.length): boolean {
  const available = end - position;
  if (available < at.LOG_OVERHEAD) return false;
  const baseOffset = readInt64(buffer, position + at.BASE_OFFSET_AT);
  const sizeInBytes = at.LOG_OVERHEAD + buffer.readInt32BE(position + at.BATCH_LENGTH_AT);
  // The magic byte comes first: batches of the old formats may be shorter than a version 2 header.
  if (available > at.MAGIC_AT) checkMagic(buffer[position + at.MAGIC_AT] as number, baseOffset);
  if (sizeInBytes < at.RECORDS_AT) throw corrupt(`batch length ${sizeInBytes} is smaller than a batch header`, baseOffset);
  if (sizeInBytes > available) return false;

  into.position = position;
  into.sizeInBytes = sizeInBytes;
  into.baseOffset = baseOffset;
  into.partitionLeaderEpoch = buffer.readInt32BE(position + at.LEADER_EPOCH_AT);
  into.crc = buffer.readUInt32BE(position + at.CRC_AT);
  into.attributes = buffer.readInt16BE(position + at.ATTRIBUTES_AT);
  into.lastOffsetDelta = buffer.readInt32BE(position + at.LAST_OFFSET_DELTA_AT);
  into.baseTimestamp = readInt64(buffer, position + at.BASE_TIMESTAMP_AT);
  into.maxTimestamp = readInt64(buffer, position + at.MAX_TIMESTAMP_AT);
  into.producerId = readInt64(buffer, position + at.PRODUCER_ID_AT);
  into.producerEpoch = buffer.readInt16BE(position + at.PRODUCER_EPOCH_AT);
  into.baseSequence = buffer.readInt32BE(position + at.BASE_SEQUENCE_AT);
  into.recordCount = buffer.readInt32BE(position + at.RECORD_COUNT_AT);
  checkPlausible(into);
  return true;
}

/**
 * Compares the checksum of a complete batch with its bytes.
 *
 * @throws CorruptDataError `CORRUPT_BATCH` when they differ
 */
export function checkBatchCrc(buffer: Buffer, header: RecordBatchHeader): void {
  const actual = crc32c(buffer, header.position + at.ATTRIBUTES_AT, header.position + header.sizeInBytes);
  if (actual !== header.crc) {
    throw corrupt(`checksum of the batch is ${hex(actual)}, but its header says ${hex(header.crc)}`, header.baseOffset);
  }
}

/** Gives a batch its place in a log. The checksum does not cover these fields, so that brokers can do this without it. */
export function patchBaseOffset(buffer: Buffer, position: number, baseOffset: number, partitionLeaderEpoch: number): void {
  buffer.writeInt32BE(Math.floor(baseOffset / 0x1_0000_0000), position + at.BASE_OFFSET_AT);
  buffer.writeUInt32BE(baseOffset >>> 0, position + at.BASE_OFFSET_AT + 4);
  buffer.writeInt32BE(partitionLeaderEpoch, position + at.LEADER_EPOCH_AT);
}

function checkMagic(magic: number, baseOffset: number): void {
  if (magic === at.MAGIC) return;
  throw new CorruptDataError(
    'UNSUPPORTED_RECORD_FORMAT',
    `record format ${magic} is not supported; only version 2 (Kafka ≥ 0.11) is`,
    { offset: baseOffset },
  );
}

function checkPlausible(header: RecordBatchHeader): void {
  if (header.baseOffset < 0) throw corrupt('base offset is negative', header.baseOffset);
  if (header.lastOffsetDelta < 0) throw corrupt(`last offset delta is ${header.lastOffsetDelta}`, header.baseOffset);
  // A compacted batch has fewer records than offsets, down to none, but never more.
  if (header.recordCount < 0 || header.recordCount > header.lastOffsetDelta + 1) {
    throw corrupt(`${header.recordCount} records claimed for ${header.lastOffsetDelta + 1} offsets`, header.baseOffset);
  }
}

function corrupt(message: string, offset: number): CorruptDataError {
  return new CorruptDataError('CORRUPT_BATCH', message, { offset });
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
