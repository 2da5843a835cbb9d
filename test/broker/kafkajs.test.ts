import { type DevBroker, startBroker } from '@millrace/broker';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** kafkajs with its own protocol code, as its users have it: none of ours is on this side of the socket. */
describe('kafkajs', () => {
  let broker: DevBroker;
  let kafka: Kafka;
  beforeAll(async () => {
    broker = await startBroker({ groupMinSessionTimeoutMs: 1000 });
    kafka = new Kafka({
      brokers: [broker.bootstrapServers],
      connectionTimeout: 30_000,
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 20, retries: 30 },
    });
  });
  afterAll(() => broker.stop());

  async function withTopic(topic: string, numPartitions = 1): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
    await admin.disconnect();
  }

  async function produce(use: (producer: Producer) => Promise<unknown>, transactionalId?: string): Promise<void> {
    const transactional = transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1, idempotent: true };
    const producer = kafka.producer({ allowAutoTopicCreation: false, ...transactional });
    await producer.connect();
    try {
      await use(producer);
    } finally {
      await producer.disconnect();
    }
  }

  /** Consumes as a group of one until so many records have come. */
  async function consume(topic: string, groupId: string, count: number): Promise<string[]> {
    const values: string[] = [];
    const consumer = kafka.consumer({ groupId, sessionTimeout: 30_000, heartbeatInterval: 500, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(`${message.key?.toString() ?? ''}=${message.value?.toString() ?? ''}`);
      },
    });
    await expect.poll(() => values.length, { interval: 10 }).toBeGreaterThanOrEqual(count);
    await consumer.disconnect();
    return values;
  }

  it('administers topics, configurations and records', async () => {
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'retention.ms', value: '60000' }];
    expect(
      await admin.createTopics({ topics: [{ topic: 'admin', numPartitions: 2, configEntries }], waitForLeaders: true }),
    ).toBe(true);
    expect(await admin.createTopics({ topics: [{ topic: 'admin' }] })).toBe(false);
    await admin.createPartitions({ topicPartitions: [{ topic: 'admin', count: 3 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['admin'] });
    expect(topics[0]?.partitions).toHaveLength(3);
    const described = await admin.describeConfigs({ includeSynonyms: true, resources: [{ type: 2, name: 'admin' }] });
    const retention = described.resources[0]?.configEntries.find(({ configName }) => configName === 'retention.ms');
    expect(retention).toMatchObject({ configValue: '60000', isDefault: false });
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: 'admin', configEntries: [{ name: 'max.message.bytes', value: '2000' }] }],
    });
    await produce((producer) =>
      producer.send({
        topic: 'admin',
        messages: [
          { partition: 0, value: 'a' },
          { partition: 0, value: 'b' },
        ],
      }),
    );
    await admin.deleteTopicRecords({ topic: 'admin', partitions: [{ partition: 0, offset: '1' }] });
    const offsets = await admin.fetchTopicOffsets('admin');
    expect(offsets.find(({ partition }) => partition === 0)).toMatchObject({ low: '1', high: '2' });
    await expect(
      produce((producer) => producer.send({ topic: 'admin', messages: [{ value: 'x'.repeat(3000) }] })),
    ).rejects.toThrow();
    await admin.deleteTopics({ topics: ['admin'] });
    expect(await admin.listTopics()).not.toContain('admin');
    await admin.disconnect();
  });

  it('produces and consumes in a group, with keys, headers, tombstones and gzip', async () => {
    await withTopic('records', 2);
    await produce((producer) =>
      producer.send({
        topic: 'records',
        compression: 1,
        messages: [
          { key: 'a', value: '1', headers: { h: 'x' } },
          { key: 'b', value: null },
        ],
      }),
    );
    await produce((producer) => producer.send({ topic: 'records', messages: [{ key: 'c', value: '3' }] }));
    expect((await consume('records', 'readers', 3)).sort()).toEqual(['a=1', 'b=', 'c=3']);
    const admin = kafka.admin();
    await admin.connect();
    const [committed] = await admin.fetchOffsets({ groupId: 'readers', topics: ['records'] });
    expect(committed?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)).toBe(3);
    const { groups } = await admin.describeGroups(['readers']);
    expect(groups[0]).toMatchObject({ state: 'Empty', protocolType: 'consumer' });
    await admin.deleteGroups(['readers']);
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain('readers');
    await admin.disconnect();
  });

  it('shares the partitions of a topic between two members, and takes over those of one that leaves', async () => {
    await withTopic('shared', 4);
    const start = async () => {
      const consumer = kafka.consumer({ groupId: 'sharing', sessionTimeout: 30_000, heartbeatInterval: 50, maxWaitTimeInMs: 20 });
      const state = { consumer, partitions: -1 };
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        state.partitions = payload.memberAssignment.shared?.length ?? 0;
      });
      await consumer.connect();
      await consumer.subscribe({ topics: ['shared'] });
      await consumer.run({ eachMessage: async () => undefined });
      return state;
    };
    const [first, second] = [await start(), await start()];
    await expect.poll(() => [first.partitions, second.partitions]).toEqual([2, 2]);
    await first.consumer.disconnect();
    await expect.poll(() => second.partitions).toBe(4);
    await second.consumer.disconnect();
  });

  it('commits and aborts transactions, with offsets', async () => {
    await withTopic('txn');
    await produce(async (producer) => {
      const aborted = await producer.transaction();
      await aborted.send({ topic: 'txn', messages: [{ value: 'aborted' }] });
      await aborted.abort();
      const committed = await producer.transaction();
      await committed.send({ topic: 'txn', messages: [{ value: 'committed' }] });
      await committed.sendOffsets({
        consumerGroupId: 'copiers',
        topics: [{ topic: 'txn', partitions: [{ partition: 0, offset: '7' }] }],
      });
      await committed.commit();
    }, 'kafkajs-1');
    expect(await consume('txn', 'txn-readers', 1)).toEqual(['=committed']);
    const admin = kafka.admin();
    await admin.connect();
    const offset = async () => (await admin.fetchOffsets({ groupId: 'copiers', topics: ['txn'] }))[0]?.partitions[0]?.offset;
    await expect.poll(offset).toBe('7');
    await admin.disconnect();
  });

  it('is fenced by a second producer with its transactional id', async () => {
    await withTopic('fenced');
    await produce(async (first) => {
      const open = await first.transaction();
      await open.send({ topic: 'fenced', messages: [{ value: 'first' }] });
      await produce(async (second) => {
        const transaction = await second.transaction();
        await transaction.send({ topic: 'fenced', messages: [{ value: 'second' }] });
        await transaction.commit();
      }, 'kafkajs-2');
      await expect(open.commit()).rejects.toThrow();
    }, 'kafkajs-2');
    expect(await consume('fenced', 'fenced-readers', 1)).toEqual(['=second']);
  });
});
