import { assert, systemClock, systemRandom } from '@millrace/core';
import {
  createTopics,
  decodeResponse,
  encodeRequest,
  fetch,
  metadata,
  produce,
  RecordBatchIterator,
  RecordCursor,
} from '@millrace/wire';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Transport } from '../port/transport.ts';
import { ContractBench } from './contract-bench.ts';
import type { PlainEnvironment, TransportUnderTest } from './contract-options.ts';
import { type FetchOptions, fetchRequest, metadataRequest, produceRequest, recordSet } from './requests.ts';

const largeBytes = 10 * 1024 * 1024;
const atOnce: FetchOptions = { maxWaitMs: 10_000, minBytes: 1, maxBytes: 2 * largeBytes };
const atFirst: FetchOptions = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 };

/** A topic of its own with one partition, and the broker that leads it. */
interface ContractTopic {
  readonly name: string;
  readonly leader: number;
}

/**
 * The part of the contract that needs a real broker: what records go through.
 *
 * @param start gives the broker, once
 */
export function describeTransportTraffic(
  name: string,
  underTest: TransportUnderTest,
  start: () => Promise<PlainEnvironment>,
): void {
  describe(`${name}: traffic`, () => {
    const bench = new ContractBench(underTest, start);
    beforeAll(() => bench.start());
    afterEach(() => bench.cleanUp());
    afterAll(() => bench.stop());

    it('carries frames of 10 MiB in both directions', async () => {
      const transport = bench.direct();
      const topic = await createTopic(transport);
      const value = Buffer.alloc(largeBytes, 'millrace');
      await produceTo(transport, topic, recordSet(value));
      expect((await fetchFrom(transport, topic, atOnce)).equals(value)).toBe(true);
    });

    it('keeps the bytes of one response while others arrive', async () => {
      const transport = bench.direct();
      const topic = await createTopic(transport);
      const values = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100_000, `value ${i} `));
      for (const value of values) await produceTo(transport, topic, recordSet(value));
      const read = await Promise.all(values.map((_, offset) => fetchFrom(transport, topic, { ...atOnce, maxBytes: 1 }, offset)));
      expect(read.map((value, i) => value.equals(values[i] as Buffer))).toEqual(values.map(() => true));
    });

    it('sends a request that has no response, and resolves it', async () => {
      const transport = bench.direct();
      const topic = await createTopic(transport);
      const nothing = await transport.send(topic.leader, produceRequest(topic.name, recordSet(Buffer.from('acks 0')), 0));
      expect(nothing).toHaveLength(0);
      expect((await fetchFrom(transport, topic, atOnce)).toString()).toBe('acks 0');
    });

    it('answers on one lane while another one waits for records', async () => {
      const transport = bench.direct();
      const topic = await createTopic(transport);
      await Promise.all((['fetch', 'admin'] as const).map((lane) => transport.send(topic.leader, metadataRequest({ lane }))));
      let isWaiting = true;
      const poll = transport.send(topic.leader, fetchRequest(topic.name, 0, { ...atOnce, maxWaitMs: 20_000 })).finally(() => {
        isWaiting = false;
      });
      for (let i = 0; i < 20; i++) await transport.send(topic.leader, metadataRequest({ lane: 'admin' }));
      expect(isWaiting).toBe(true);
      await produceTo(transport, topic, recordSet(Buffer.from('ends the wait')));
      await poll;
    });
  });
}

async function createTopic(transport: Transport): Promise<ContractTopic> {
  const name = `transport-contract-${systemRandom.uuid()}`;
  const configs = [{ name: 'max.message.bytes', value: String(2 * largeBytes) }];
  const body = encodeRequest(createTopics, 7, { topics: [{ name, numPartitions: 1, replicationFactor: 1, configs }] });
  const request = { apiKey: createTopics.key, apiVersion: 7, flexible: true, body, lane: 'admin', timeoutMs: 30_000 } as const;
  const created = decodeResponse(createTopics, 7, await transport.send('any', request));
  expect(created.topics).toMatchObject([{ errorCode: 0 }]);
  for (;;) {
    const answer = decodeResponse(metadata, 12, await transport.send('any', metadataRequest({ lane: 'admin' }, [name])));
    transport.updateBrokers(answer.brokers);
    const leader = answer.topics[0]?.partitions[0]?.leaderId ?? -1;
    // The controller names the leader a little before the leader itself knows.
    if (leader >= 0 && (await fetchPartition(transport, { name, leader }, atFirst)).errorCode === 0) return { name, leader };
    await systemClock.sleep(10);
  }
}

async function produceTo(transport: Transport, topic: ContractTopic, records: Buffer): Promise<void> {
  const answer = decodeResponse(produce, 9, await transport.send(topic.leader, produceRequest(topic.name, records, -1)));
  expect(answer.responses[0]?.partitionResponses).toMatchObject([{ errorCode: 0 }]);
}

async function fetchPartition(transport: Transport, topic: ContractTopic, options: FetchOptions, offset = 0) {
  const answer = decodeResponse(fetch, 12, await transport.send(topic.leader, fetchRequest(topic.name, offset, options)));
  const partition = answer.responses[0]?.partitions[0];
  assert(partition !== undefined, 'a fetch of one partition was answered with none');
  return partition;
}

/** The value of the one record at `offset`. */
async function fetchFrom(transport: Transport, topic: ContractTopic, options: FetchOptions, offset = 0): Promise<Buffer> {
  const { errorCode, records } = await fetchPartition(transport, topic, options, offset);
  expect(errorCode).toBe(0);
  assert(records != null, 'a fetch was answered without records');
  const batches = new RecordBatchIterator();
  batches.open(records);
  expect(batches.next()).toBe(true);
  const cursor = new RecordCursor();
  cursor.open(records, batches.header);
  expect(cursor.next()).toBe(true);
  return cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd);
}
