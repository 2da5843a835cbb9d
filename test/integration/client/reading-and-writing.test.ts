import type { Compression, Fetcher, KafkaClient, TransactionalProducer } from '@millrace/client';
import { produce } from '@millrace/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { LossyTransport } from './lossy-transport.ts';
import { appendText, newTopic, PATIENT_MS, readAll, realClient, unique } from './real-client.ts';

const GROUP = { generationId: -1, memberId: '', groupInstanceId: undefined };

describeWithKafka('reading and writing against a real Kafka', (brokers) => {
  let client: KafkaClient;
  let transport: LossyTransport;
  let topic: string;

  beforeEach(async () => {
    ({ client, transport } = realClient(brokers));
    topic = await newTopic(client, 2);
  });
  afterEach(() => client.close());

  async function write(values: readonly string[], options: Parameters<KafkaClient['createProducer']>[0] = {}): Promise<void> {
    const producer = client.createProducer(options);
    const handle = await producer.topic(topic);
    for (const value of values) appendText(producer, handle, 0, value);
    await producer.close();
  }

  /** One that sends each record at once. */
  async function eagerProducer(): Promise<TransactionalProducer> {
    const producer = client.createTransactionalProducer({
      transactionalId: unique('id'),
      transactionTimeoutMs: PATIENT_MS,
      holdBackBytes: 0,
    });
    await producer.init();
    return producer;
  }

  const everything = () => readAll(client, topic, 0, { isolation: 'read_uncommitted' });

  it.each<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'reads what it wrote with compression %s',
    async (compression) => {
      const values = Array.from({ length: 2000 }, (_, i) => `record ${i} ${'x'.repeat(i % 90)}`);
      await write(values, { compression, batchBytes: 20_000 });
      expect(await readAll(client, topic)).toEqual(values);
    },
  );

  it('keeps order and appends once while answers and requests get lost', async () => {
    const values = Array.from({ length: 500 }, (_, i) => `${i}`.padEnd(100, '.'));
    transport.lose(produce, 'answer', 'request', 'answer', 'request', 'request', 'answer');
    await write(values, { batchBytes: 2000 });
    expect(await readAll(client, topic)).toEqual(values);
  });

  it('splits what is larger than the topic accepts, and reports the record that alone is', async () => {
    const small = unique('small');
    await client.admin.createTopics([
      { name: small, partitions: 1, replicationFactor: 1, configs: { 'max.message.bytes': '1000' } },
    ]);
    const producer = client.createProducer();
    const handle = await producer.topic(small);
    const values = Array.from({ length: 50 }, (_, i) => `record ${i}`.padEnd(100));
    for (const value of values) appendText(producer, handle, 0, value);
    await producer.flush();
    expect(await readAll(client, small)).toEqual(values);
    appendText(producer, handle, 0, 'x'.repeat(2000));
    await expect(producer.flush()).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    appendText(producer, handle, 0, 'afterwards');
    await producer.flush();
    expect(producer.endOffset(small, 0)).toBe(51);
  });

  it('reads a batch that is larger than every limit', async () => {
    await write([`big ${'x'.repeat(300_000)}`, 'small'], { batchBytes: 400_000 });
    const values = await readAll(client, topic, 0, { maxBytes: 1000, partitionMaxBytes: 500, maxBufferedBytes: 100 });
    expect(values.map(({ length }) => length)).toEqual([300_004, 5]);
  });

  it('reports positions that are out of range', async () => {
    await write(['a', 'b', 'c']);
    await client.admin.deleteRecords([{ topic, partition: 0, offset: 2 }]);
    expect(await client.offsets.list([{ topic, partition: 0 }], 'earliest')).toEqual(new Map([[`${topic}-0`, 2]]));
    const fetcher = client.createFetcher();
    fetcher.assign(topic, 0, 0);
    expect(await arrived(fetcher, () => fetcher.takeFailures()[0])).toMatchObject({ reason: 'offset-out-of-range', position: 0 });
    fetcher.seek(topic, 0, 2);
    expect(await arrived(fetcher, () => fetcher.take())).toMatchObject({
      fetchOffset: 2,
      nextOffset: 3,
      logStartOffset: 2,
      highWatermark: 3,
    });
  });

  it('hides open and aborted transactions, and moves past them', async () => {
    const producers = await Promise.all([eagerProducer(), eagerProducer(), eagerProducer()]);
    const expected: string[] = [];
    const group = { ...GROUP, groupId: unique('group') };
    for (let round = 0; round < 8; round++) {
      for (const [i, producer] of producers.entries()) {
        appendText(producer, await producer.topic(topic), 0, `${round}-${i}`);
      }
      // What is aborted before it was sent leaves nothing that could be hidden.
      await expect.poll(everything).toEqual(expect.arrayContaining(producers.map((_, i) => `${round}-${i}`)));
      expect((await readAll(client, topic)).filter((value) => value.startsWith(`${round}-`))).toEqual([]);
      for (const [i, producer] of producers.entries()) {
        if ((round + i) % 2 === 0) {
          await producer.commit(group, []);
          expected.push(`${round}-${i}`);
        } else await producer.abort();
      }
    }
    // Markers reach the partition a moment after EndTxn was answered.
    await expect.poll(async () => (await readAll(client, topic)).sort()).toEqual([...expected].sort());
    const visible = await readAll(client, topic);
    expect(await readAll(client, topic, 0, { maxBytes: 1, partitionMaxBytes: 1 })).toEqual(visible);
    expect((await everything()).length).toBeGreaterThan(visible.length);
  });

  it('tells the last stable offset from the high watermark', async () => {
    await write(['a']);
    const producer = await eagerProducer();
    appendText(producer, await producer.topic(topic), 0, 'open');
    const list = async (which: 'latest' | 'latest-stable') =>
      (await client.offsets.list([{ topic, partition: 0 }], which)).get(`${topic}-0`);
    await expect.poll(() => list('latest')).toBe(2);
    expect(await list('latest-stable')).toBe(1);
    await producer.abort();
  });

  it('does not answer with offsets that an open transaction is about to change', async () => {
    const groupId = unique('group');
    const producer = client.createTransactionalProducer({ transactionalId: unique('id') });
    await producer.init();
    await client.offsets.commit({ ...GROUP, groupId }, [{ topic, partition: 0, offset: 5, metadata: 'old' }]);
    for (let next = 6; next < 20; next++) {
      await producer.commit({ ...GROUP, groupId }, [{ topic, partition: 0, offset: next, metadata: '' }]);
      expect(await client.offsets.committed(groupId, [{ topic, partition: 0 }])).toMatchObject([{ offset: next }]);
    }
  });

  it('creates, describes, extends and deletes topics', async () => {
    const name = unique('admin');
    const wanted = { name, partitions: 2, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } };
    expect(await client.admin.createTopics([wanted])).toEqual({ existed: [] });
    expect(await client.admin.createTopics([wanted])).toEqual({ existed: [name] });
    expect((await client.admin.describeConfigs(name)).get('cleanup.policy')).toBe('compact');
    await client.admin.createPartitions(name, 5);
    await expect.poll(async () => (await client.admin.describeTopics([name])).get(name)?.partitions).toBe(5);
    expect((await client.admin.listTopics()).map((one) => one.name)).toContain(name);
    await client.admin.deleteTopics([name]);
    await client.admin.deleteTopics([name]);
    await expect.poll(async () => (await client.admin.describeTopics([name])).get(name)).toBeUndefined();
  });

  it('lists, describes and deletes groups', async () => {
    const groupId = unique('group');
    await client.offsets.commit({ ...GROUP, groupId }, [{ topic, partition: 0, offset: 5, metadata: 'm' }]);
    expect(await client.admin.listGroups()).toContain(groupId);
    expect(await client.admin.describeGroup(groupId)).toEqual({ state: 'Empty', members: [] });
    expect(
      await client.offsets.committed(groupId, [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]),
    ).toEqual([
      { topic, partition: 0, offset: 5, metadata: 'm' },
      { topic, partition: 1, offset: -1, metadata: '' },
    ]);
    await client.admin.deleteGroups([groupId]);
    expect(await client.admin.listGroups()).not.toContain(groupId);
  });
});

/** Waits for what the fetcher gets in the background; the test's own timeout is the limit. */
async function arrived<T>(fetcher: Fetcher, take: () => T | undefined): Promise<T> {
  for (;;) {
    const taken = take();
    if (taken !== undefined) return taken;
    await fetcher.wait(1000);
  }
}
