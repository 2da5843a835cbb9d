import type { Transport } from '@millrace/client/lane';
import {
  decodeResponse,
  encodeRequest,
  fetch,
  metadata,
  produce,
  RecordBatchBuilder,
  RecordBatchIterator,
  RecordCursor,
} from '@millrace/wire';
import type { BenchTopic } from './topic.ts';

/** Sizes as in the figures that the decision was first based on: 7 byte keys, 600 records in a batch, 4 partitions. */
const recordsPerBatch = 600;
const inFlight = 3;
const key = Buffer.from('key-123');
const fetchBytesMax = 1024 * 1024;

/** Produces `records` records with acks = all, three requests in flight, and resolves when all are acknowledged. */
export async function produceRecords(
  transport: Transport,
  topic: BenchTopic,
  records: number,
  valueBytes: number,
): Promise<void> {
  const value = Buffer.alloc(valueBytes, 'v');
  const perRequest = recordsPerBatch * topic.partitions;
  let left = Math.ceil(records / perRequest);
  const lane = async (): Promise<void> => {
    const batches = Array.from({ length: topic.partitions }, () => new RecordBatchBuilder(recordsPerBatch * (valueBytes + 32)));
    while (left-- > 0) await produceOnce(transport, topic, batches, value);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function produceOnce(
  transport: Transport,
  topic: BenchTopic,
  batches: readonly RecordBatchBuilder[],
  value: Buffer,
): Promise<void> {
  const partitionData = batches.map((batch, index) => {
    batch.reset();
    for (let i = 0; i < recordsPerBatch; i++) batch.append(1_700_000_000_000 + i, key, 0, key.length, value, 0, value.length);
    return { index, records: batch.finish() };
  });
  const topicData = [{ name: topic.name, partitionData }];
  const body = encodeRequest(produce, 9, { transactionalId: undefined, acks: -1, timeoutMs: 30_000, topicData });
  const request = { apiKey: produce.key, apiVersion: 9, flexible: true, body, lane: 'data', timeoutMs: 30_000 } as const;
  const answer = decodeResponse(produce, 9, await transport.send(topic.leader, request));
  for (const partition of answer.responses[0]?.partitionResponses ?? []) {
    if (partition.errorCode !== 0) throw new Error(`produce failed with error ${partition.errorCode}`);
  }
}

/** Fetches `records` records, checks every batch's CRC and walks over every record. */
export async function fetchRecords(transport: Transport, topic: BenchTopic, records: number): Promise<number> {
  const positions = Array.from({ length: topic.partitions }, () => 0);
  const batches = new RecordBatchIterator({ checkCrc: true });
  const cursor = new RecordCursor();
  let seen = 0;
  while (seen < records) {
    const partitions = positions.map((fetchOffset, partition) => ({ partition, fetchOffset, partitionMaxBytes: fetchBytesMax }));
    const body = encodeRequest(fetch, 12, { maxWaitMs: 500, minBytes: 1, topics: [{ topic: topic.name, partitions }] });
    const request = { apiKey: fetch.key, apiVersion: 12, flexible: true, body, lane: 'fetch', timeoutMs: 30_000 } as const;
    const answer = decodeResponse(fetch, 12, await transport.send(topic.leader, request));
    for (const { partitionIndex, errorCode, records: set } of answer.responses[0]?.partitions ?? []) {
      if (errorCode !== 0 || set == null) throw new Error(`fetch failed with error ${errorCode}`);
      batches.open(set);
      while (batches.next()) {
        cursor.open(set, batches.header);
        while (cursor.next()) seen++;
        positions[partitionIndex] = batches.header.baseOffset + batches.header.lastOffsetDelta + 1;
      }
    }
  }
  return seen;
}

/** Milliseconds of `count` small requests, one after the other, sorted. */
export async function callMany(transport: Transport, topic: BenchTopic, count: number): Promise<number[]> {
  const body = encodeRequest(metadata, 12, { topics: [], allowAutoTopicCreation: false });
  const request = { apiKey: metadata.key, apiVersion: 12, flexible: true, body, lane: 'data', timeoutMs: 30_000 } as const;
  const tookMs: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await transport.send(topic.leader, request);
    tookMs.push(performance.now() - start);
  }
  return tookMs.sort((left, right) => left - right);
}
