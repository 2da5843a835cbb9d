import { readBatchHeader, RecordBatchBuilder, RecordBatchHeader } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { TopicConfigs } from '../configs/topic-configs.ts';
import { checkRecords, RecordsRefusal } from './record-checks.ts';

const NOW = 1_700_000_000_000;

/** Keys with times relative to now. */
function refusalOf(configs: Record<string, string>, ...records: [key: string | undefined, ms: number][]): unknown {
  const builder = new RecordBatchBuilder();
  for (const [key, ms] of records) {
    builder.appendRecord({ timestamp: NOW + ms, key: key === undefined ? undefined : Buffer.from(key), value: Buffer.from('v') });
  }
  const bytes = Buffer.from(builder.finish());
  const header = new RecordBatchHeader();
  readBatchHeader(bytes, 0, header);
  const { settings } = new TopicConfigs({}, new Map(Object.entries(configs)));
  try {
    checkRecords(bytes, header, { settings, partition: 't-0', nowMs: NOW });
    return undefined;
  } catch (error) {
    if (!(error instanceof RecordsRefusal)) throw error;
    const { errorCode, message, recordErrors } = error;
    return { errorCode, message, recordErrors: recordErrors.map(({ batchIndex }) => batchIndex), first: recordErrors[0] };
  }
}

describe('the records of a batch', () => {
  it('may have no keys, and any time in the past, unless the topic says otherwise', () => {
    expect(refusalOf({}, [undefined, -NOW], ['a', 0], ['b', 3_600_000])).toBeUndefined();
  });

  // The texts are those of Kafka 4.3.1.
  it('without keys are named, the first three in the message too, when the topic is compacted', () => {
    const withoutKey = 'Compacted topic cannot accept message without key in topic partition t-0';
    const shown = [1, 2, 4].map((index) => `RecordError(batchIndex=${index}, message='${withoutKey}')`).join(', ');
    const records = ['a', undefined, undefined, 'b', undefined, undefined];
    const given = records.map((key): [string | undefined, number] => [key, 0]);
    expect(refusalOf({ 'cleanup.policy': 'compact' }, ...given)).toEqual({
      errorCode: 87,
      message: `One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: [${shown}]`,
      recordErrors: [1, 2, 4, 5],
      first: { batchIndex: 1, batchIndexErrorMessage: withoutKey },
    });
  });

  it('are named when they are from the future or too old, each by itself', () => {
    const configs = { 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '2000' };
    expect(refusalOf(configs, ['a', 0], ['b', -1001], ['c', -1000], ['d', 2000], ['e', 2001])).toEqual({
      errorCode: 32,
      message: 'One or more records have been rejected due to invalid timestamp',
      recordErrors: [1, 4],
      first: {
        batchIndex: 1,
        batchIndexErrorMessage: `Timestamp ${NOW - 1001} of message with offset 1 is out of range. The timestamp should be within [${NOW - 1000}, ${NOW + 2000}]`,
      },
    });
    expect(refusalOf({ ...configs, 'message.timestamp.type': 'LogAppendTime' }, ['b', -1001])).toBeUndefined();
  });

  it('are refused for their time first, and then those without keys are among the errors', () => {
    const refused = refusalOf({ 'cleanup.policy': 'compact' }, [undefined, 0], ['b', 3_600_001], [undefined, 3_600_001]);
    expect(refused).toMatchObject({ errorCode: 32, recordErrors: [0, 1, 2] });
  });
});
