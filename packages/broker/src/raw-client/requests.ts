import { systemClock } from '@millrace/core';
import {
  createTopics,
  fetch,
  findCoordinator,
  initProducerId,
  type IsolationLevel,
  produce,
  RecordBatchBuilder,
  RecordBatchIterator,
  RecordCursor,
  type BatchIdentity,
} from '@millrace/wire';
import type { RawClient } from './raw-client.ts';

/** A batch with a record per text: `key=value`, or a value alone, or `key=` for a tombstone. */
export function batchOf(texts: readonly string[], identity: BatchIdentity = {}, timestamp = systemClock.nowMs()): Buffer {
  const builder = new RecordBatchBuilder();
  for (const text of texts) {
    const [key, value] = text.includes('=') ? text.split('=') : [undefined, text];
    builder.appendRecord({
      timestamp,
      key: key === undefined ? undefined : Buffer.from(key),
      value: value === '' || value === undefined ? undefined : Buffer.from(value),
    });
  }
  return Buffer.from(builder.finish(identity));
}

/** The records of a record set as `offset:key=value`, control batches as `offset:control`, empty ones as `offset:empty`. */
export function textsIn(records: Buffer | undefined): string[] {
  const iterator = new RecordBatchIterator();
  const cursor = new RecordCursor();
  const texts: string[] = [];
  iterator.open(records ?? Buffer.alloc(0));
  while (iterator.next()) {
    const { header } = iterator;
    if (header.recordCount === 0) texts.push(`${header.lastOffset}:empty`);
    else if (header.isControl) texts.push(`${header.baseOffset}:control`);
    else {
      cursor.open(records as Buffer, header);
      while (cursor.next()) texts.push(`${cursor.offset}:${textOf(cursor)}`);
    }
  }
  return texts;
}

function textOf({ buffer, keyStart, keyEnd, valueStart, valueEnd }: RecordCursor): string {
  const value = valueStart < 0 ? '' : buffer.toString('utf8', valueStart, valueEnd);
  return keyStart < 0 ? value : `${buffer.toString('utf8', keyStart, keyEnd)}=${value}`;
}

export async function createTopic(client: RawClient, name: string, partitions = 1, configs: Record<string, string> = {}) {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topic = { name, numPartitions: partitions, replicationFactor: 1, configs: entries };
  const { topics } = await client.send(createTopics, 7, { topics: [topic] });
  return topics[0]?.errorCode;
}

/** @returns the answer for the one partition */
export async function append(
  client: RawClient,
  topic: string,
  records: Buffer,
  { partition = 0, transactionalId, version = 9 }: { partition?: number; transactionalId?: string; version?: number } = {},
) {
  const { responses } = await client.send(produce, version, {
    transactionalId,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  });
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

export interface FetchOptions {
  readonly offset?: number;
  readonly isolation?: IsolationLevel;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
}

/** @returns the answer for partition 0 */
export async function read(client: RawClient, topic: string, options: FetchOptions = {}) {
  const { offset = 0, isolation = 'read_uncommitted', maxWaitMs = 0, minBytes = 1, maxBytes = 1024 * 1024 } = options;
  const { responses } = await client.send(fetch, 12, {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }] }],
  });
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** Looks for both coordinators until they are there. */
export async function awaitCoordinators(client: RawClient): Promise<void> {
  for (const keyType of [0, 1]) {
    while ((await client.send(findCoordinator, 3, { key: 'any', keyType })).errorCode !== 0);
  }
}

/** Initialises a transactional producer, as often as it takes. */
export async function initialise(client: RawClient, transactionalId: string, version = 4) {
  for (;;) {
    const answer = await client.send(initProducerId, version, { transactionalId, transactionTimeoutMs: 60_000 });
    if (answer.errorCode !== 51) return answer;
  }
}
