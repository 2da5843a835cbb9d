import { fetch, incrementalAlterConfigs, produce, RecordBatchBuilder, RecordBatchIterator } from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';
import { textOf } from './record-bytes.ts';
import { initProducer } from './transactions.ts';

/** Of the records that show by their absence that the log was compacted. */
const SENTINEL = 'sentinel';
/** So late that the record begins a segment of its own. */
const ROLLING_TIMESTAMP = 1_900_000_000_000;
const BYTES_MAX = 1 << 20;

/** All transactions are ended before, because nothing behind an open one is compacted. */
export async function compact(session: Session, { topic }: OperationOf<'compact'>): Promise<string> {
  for (const producer of [1, 3]) {
    await initProducer(session, { do: 'initProducer', version: 4, producer, resumes: false, timeoutMs: 600_000 });
  }
  const name = session.topic(topic);
  const first = await writePlain(session, name, SENTINEL, ROLLING_TIMESTAMP - 1);
  await writePlain(session, name, SENTINEL, ROLLING_TIMESTAMP);
  await writePlain(session, name, 'roll', ROLLING_TIMESTAMP * 2);
  await allowCompaction(session, name);
  const isCompacted = async () => !(await wholeLog(session, name)).includes(`[${first}-${first} ${SENTINEL}=1]`);
  await session.until(isCompacted, Boolean);
  return wholeLog(session, name);
}

async function writePlain(session: Session, topic: string, key: string, timestamp: number): Promise<number | undefined> {
  const builder = new RecordBatchBuilder();
  builder.appendRecord({ timestamp, key: Buffer.from(key), value: Buffer.from('1') });
  const partitionData = [{ index: 0, records: Buffer.from(builder.finish({})) }];
  const request = { acks: -1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] };
  const { responses } = await session.connection.send(produce, 9, request);
  return responses[0]?.partitionResponses[0]?.baseOffset;
}

async function allowCompaction(session: Session, resourceName: string): Promise<void> {
  const configs = [{ name: 'min.compaction.lag.ms', configOperation: 0, value: '0' }];
  await session.connection.send(incrementalAlterConfigs, 1, { resources: [{ resourceType: 2, resourceName, configs }] });
}

/** Every batch, wherever segments begin and end: cleaning moves that, in each broker in its own way. */
async function wholeLog(session: Session, topic: string): Promise<string> {
  const texts: string[] = [];
  for (let offset = 0; ; ) {
    const { responses } = await session.connection.send(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: BYTES_MAX,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: BYTES_MAX }] }],
    });
    const { highWatermark = 0, records } = responses[0]?.partitions[0] ?? {};
    const end = endOf(records);
    if (records === undefined || end === undefined) return `${texts.join(' ')} up to ${highWatermark}`;
    texts.push(textOf(session, records).replace(/^\d+B /, ''));
    offset = end;
  }
}

function endOf(records: Buffer | undefined): number | undefined {
  const iterator = new RecordBatchIterator();
  iterator.open(records ?? Buffer.alloc(0));
  let end: number | undefined;
  while (iterator.next()) end = iterator.header.lastOffset + 1;
  return end;
}
