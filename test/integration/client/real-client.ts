import { randomUUID } from 'node:crypto';
import {
  createKafkaClient,
  type Assignor,
  type BatchAppender,
  type Fetcher,
  type FetcherOptions,
  type KafkaClient,
  type TopicHandle,
} from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { NO_HEADERS } from '@millrace/core';
import { RecordCursor } from '@millrace/wire';
import { LossyTransport } from './lossy-transport.ts';

/** Of sessions and transactions in tests that are not about losing them: longer than a busy machine stands still. */
export const PATIENT_MS = 20_000;

export interface RealClient {
  readonly client: KafkaClient;
  readonly transport: LossyTransport;
}

/** A client of the Kafka under test, over a transport that can lose things. */
export function realClient(brokers: string, transactionVersion?: number): RealClient {
  const transport = new LossyTransport(
    createSocketTransport({ brokers: brokers.split(','), clientId: 'millrace-test' }),
    transactionVersion,
  );
  return { transport, client: createKafkaClient({ transport, requestTimeoutMs: 30_000 }) };
}

/** A name that no other test uses. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

export async function newTopic(client: KafkaClient, partitions = 1): Promise<string> {
  const name = unique('topic');
  await client.admin.createTopics([{ name, partitions, replicationFactor: 1, configs: {} }]);
  return name;
}

export function appendText(producer: BatchAppender, topic: TopicHandle, partition: number, value: string): void {
  const bytes = Buffer.from(value);
  producer.append(topic, partition, Date.now(), bytes, -1, -1, bytes, 0, bytes.length, NO_HEADERS);
}

/** The values that a fetcher sees in a partition up to its end as it is now. */
export async function readAll(
  client: KafkaClient,
  topic: string,
  partition = 0,
  options: FetcherOptions = {},
): Promise<string[]> {
  const end = await client.offsets.list(
    [{ topic, partition }],
    options.isolation === 'read_uncommitted' ? 'latest' : 'latest-stable',
  );
  const fetcher = client.createFetcher(options);
  try {
    fetcher.assign(topic, partition, 0);
    return await readUntil(fetcher, topic, partition, end.get(`${topic}-${partition}`) ?? 0);
  } finally {
    await fetcher.close();
  }
}

async function readUntil(fetcher: Fetcher, topic: string, partition: number, end: number): Promise<string[]> {
  const values: string[] = [];
  const cursor = new RecordCursor();
  while (fetcher.position(topic, partition) < end) {
    await fetcher.wait(1000);
    const [failure] = fetcher.takeFailures();
    if (failure !== undefined) throw failure.error;
    for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take()) {
      for (const { buffer, header } of fetched.batches) {
        cursor.open(buffer, header, fetched.fetchOffset);
        while (cursor.next()) values.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
      }
    }
  }
  return values;
}

/** Everybody gets the partitions of one topic in turn; user data goes both ways. */
export function roundRobin(topic: string, partitions: number, userData = 'member'): Assignor {
  return {
    name: 'millrace-test',
    subscription: () => ({ topics: [topic], ownedPartitions: [], userData: Buffer.from(userData) }),
    assign: (members) => {
      const ids = members.map(({ memberId }) => memberId).sort();
      const owned = (index: number) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic, partition })).filter(
          ({ partition }) => partition % ids.length === index,
        );
      const said = Buffer.from(
        members
          .map(({ userData: bytes }) => bytes?.toString() ?? '')
          .sort()
          .join(),
      );
      return Promise.resolve(new Map(ids.map((id, index) => [id, { partitions: owned(index), userData: said }])));
    },
  };
}
