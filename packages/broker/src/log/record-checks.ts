import { ErrorCode, RecordCursor, type RecordBatchHeader } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import type { LogSettings } from './log-settings.ts';

/** How many records the message names. */
const SHOWN_MAX = 3;
const NO_TIMESTAMP = -1;

/** What is wrong with one record of a batch. */
export interface RecordError {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string;
}

/** A batch that is refused because of some of its records. */
export class RecordsRefusal extends Refusal {
  readonly recordErrors: readonly RecordError[];

  constructor(errorCode: number, message: string, recordErrors: readonly RecordError[]) {
    super(errorCode, message);
    this.recordErrors = recordErrors;
  }
}

/**
 * Checks what the configuration of the topic demands of each record: a key, and a time that is not too far from now.
 *
 * @param partition as `topic-0`, for the messages
 * @throws RecordsRefusal INVALID_TIMESTAMP or INVALID_RECORD naming every record that is wrong
 *
 * Source: Kafka `LogValidator.validateRecord`, `processRecordErrors`.
 */
export function checkRecords(
  records: Buffer,
  header: RecordBatchHeader,
  { settings, partition, nowMs }: { settings: LogSettings; partition: string; nowMs: number },
): void {
  const { compact, logAppendTime, timestampAfterMaxMs: afterMs, timestampBeforeMaxMs: beforeMs } = settings;
  const mayBeLate = !logAppendTime && header.maxTimestamp - nowMs > afterMs;
  const mayBeEarly = !logAppendTime && Number.isSafeInteger(beforeMs);
  if (!compact && !mayBeLate && !mayBeEarly) return;
  const cursor = new RecordCursor();
  cursor.open(records, header);
  const errors: RecordError[] = [];
  let isTimeWrong = false;
  for (let batchIndex = 0; cursor.next(); batchIndex++) {
    const { timestamp, offset, keyStart } = cursor;
    if (compact && keyStart < 0) {
      const message = `Compacted topic cannot accept message without key in topic partition ${partition}`;
      errors.push({ batchIndex, batchIndexErrorMessage: message });
    } else if (!logAppendTime && timestamp !== NO_TIMESTAMP && (timestamp - nowMs > afterMs || nowMs - timestamp > beforeMs)) {
      isTimeWrong = true;
      errors.push({ batchIndex, batchIndexErrorMessage: outOfRange(timestamp, offset, nowMs, settings) });
    }
  }
  if (errors.length > 0) throw refusal(errors, isTimeWrong);
}

function outOfRange(timestamp: number, offset: number, nowMs: number, settings: LogSettings): string {
  const { timestampBeforeMaxMs, timestampAfterMaxMs } = settings;
  return (
    `Timestamp ${timestamp} of message with offset ${offset} is out of range. ` +
    `The timestamp should be within [${nowMs - timestampBeforeMaxMs}, ${nowMs + timestampAfterMaxMs}]`
  );
}

function refusal(errors: readonly RecordError[], isTimeWrong: boolean): RecordsRefusal {
  if (isTimeWrong) {
    const message = 'One or more records have been rejected due to invalid timestamp';
    return new RecordsRefusal(ErrorCode.INVALID_TIMESTAMP, message, errors);
  }
  const shown = errors
    .slice(0, SHOWN_MAX)
    .map((one) => `RecordError(batchIndex=${one.batchIndex}, message='${one.batchIndexErrorMessage}')`);
  const message =
    `One or more records have been rejected due to ${errors.length} record errors in total, ` +
    `and only showing the first three errors at most: [${shown.join(', ')}]`;
  return new RecordsRefusal(ErrorCode.INVALID_RECORD, message, errors);
}
