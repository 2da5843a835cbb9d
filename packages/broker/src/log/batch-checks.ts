import { CorruptDataError } from '@millrace/core';
import { checkBatchCrc, ErrorCode, readBatchHeader, type RecordBatchHeader } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import type { LogSettings } from './log-settings.ts';
import { checkRecords } from './record-checks.ts';

/** Where a batch says how many bytes follow. */
const SIZE_AT = 8;
const SIZE_END = 12;

/**
 * Reads and checks what a client wants to append to a partition: exactly one batch, whole, with a right checksum, allowed by
 * the configuration of the topic.
 *
 * Source: Kafka `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`.
 *
 * @param header filled with the header of the batch
 * @throws Refusal saying what is wrong with it
 */
export function checkProducedBatch(
  records: Buffer | undefined,
  header: RecordBatchHeader,
  context: { readonly settings: LogSettings; readonly partition: string; readonly nowMs: number },
): asserts records is Buffer {
  checkIsOneBatch(records);
  readHeader(records, header);
  const { settings } = context;
  if (header.sizeInBytes > settings.maxMessageBytes) {
    throw new Refusal(
      ErrorCode.MESSAGE_TOO_LARGE,
      `the batch has ${header.sizeInBytes} bytes, but max.message.bytes is ${settings.maxMessageBytes}`,
    );
  }
  corruptIsRefused(() => checkBatchCrc(records, header));
  checkHeader(header);
  corruptIsRefused(() => checkRecords(records, header, context));
}

/**
 * Checks the shape only. Kafka does so before it asks any coordinator or looks at the log.
 *
 * Source: Kafka `ProduceRequest.validateRecords`.
 * @throws Refusal INVALID_RECORD
 */
export function checkIsOneBatch(records: Buffer | undefined): asserts records is Buffer {
  const isOne = records !== undefined && records.length > SIZE_END && records.readInt32BE(SIZE_AT) === records.length - SIZE_END;
  if (!isOne) throw invalid('a produce request must carry exactly one record batch per partition');
}

function readHeader(records: Buffer, header: RecordBatchHeader): void {
  const isWhole = corruptIsRefused(() => readBatchHeader(records, 0, header));
  if (!isWhole) throw new Refusal(ErrorCode.CORRUPT_MESSAGE, 'the record batch is cut off');
}

function checkHeader(header: RecordBatchHeader): void {
  if (header.baseOffset !== 0) throw invalid(`the base offset of a produced batch must be 0, not ${header.baseOffset}`);
  if (header.isControl) throw invalid('clients must not write control batches');
  if (header.recordCount === 0 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw invalid(`${header.recordCount} records do not fit a last offset delta of ${header.lastOffsetDelta}`);
  }
  if (header.producerId >= 0 && header.baseSequence < 0) {
    throw invalid(`base sequence ${header.baseSequence} in a batch of producer ${header.producerId}`);
  }
}

function corruptIsRefused<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptDataError)) throw error;
    const isOld = error.code === 'UNSUPPORTED_RECORD_FORMAT';
    throw new Refusal(isOld ? ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT : ErrorCode.CORRUPT_MESSAGE, error.message);
  }
}

function invalid(message: string): Refusal {
  return new Refusal(ErrorCode.INVALID_RECORD, message);
}
