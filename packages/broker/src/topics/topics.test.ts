import {
  alterConfigs,
  createPartitions,
  createTopics,
  deleteTopics,
  describeConfigs,
  incrementalAlterConfigs,
  metadata,
} from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, read } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

describe('topics', () => {
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(async () => {
    broker = await startBroker({ topicDefaults: { 'retention.ms': '1234' } });
    client = await RawClient.connect(broker);
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await broker.stop();
  });

  const partitionsOf = async (name: string) =>
    (await client.send(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })).topics[0]?.partitions;

  async function configOf(topic: string, name: string) {
    const resources = [{ resourceType: 2, resourceName: topic, configurationKeys: [name] }];
    return (await client.send(describeConfigs, 4, { resources, includeSynonyms: true })).results[0]?.configs[0];
  }

  it.each([
    ['a name that exists', { name: 'there', numPartitions: 1, replicationFactor: 1 }, 36],
    ['a name that differs by a dot only', { name: 'a.b', numPartitions: 1, replicationFactor: 1 }, 17],
    ['a name with a blank', { name: 'a b', numPartitions: 1, replicationFactor: 1 }, 17],
    ['the name of a topic of the broker', { name: '__consumer_offsets', numPartitions: 1, replicationFactor: 1 }, 17],
    ['no partitions', { name: 'x', numPartitions: 0, replicationFactor: 1 }, 37],
    ['more replicas than nodes', { name: 'x', numPartitions: 1, replicationFactor: 3 }, 38],
    ['an unknown config', { name: 'x', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'n', value: '1' }] }, 40],
    [
      'tiny segments',
      { name: 'x', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'segment.bytes', value: '9' }] },
      40,
    ],
    [
      'an assignment to others',
      { name: 'x', numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
      39,
    ],
  ])('are not created with %s', async (_what, topic, errorCode) => {
    await createTopic(client, 'there');
    await createTopic(client, 'a_b');
    expect((await client.send(createTopics, 5, { topics: [topic] })).topics[0]?.errorCode).toBe(errorCode);
  });

  it('are created with the defaults, each by itself, and not at all when only asked about', async () => {
    const topic = (name: string) => ({ name, numPartitions: -1, replicationFactor: -1 });
    const { topics } = await client.send(createTopics, 7, { topics: [topic('x'), topic('y'), topic('y')] });
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['y', 42],
      ['x', 0],
    ]);
    expect(topics[1]?.configs).toContainEqual(expect.objectContaining({ name: 'retention.ms', value: '1234', configSource: 4 }));
    await client.send(createTopics, 7, { topics: [topic('z')], validateOnly: true });
    expect(await partitionsOf('z')).toEqual([]);
    const byId = await client.send(metadata, 12, { topics: [{ topicId: topics[1]?.topicId as string, name: undefined }] });
    expect(byId.topics[0]?.name).toBe('x');
  });

  it('grow, and never shrink', async () => {
    await createTopic(client, 't', 2);
    const grow = async (count: number) => {
      const answer = await client.send(createPartitions, 3, { topics: [{ name: 't', count }], timeoutMs: 100 });
      return answer.results[0]?.errorCode;
    };
    expect([await grow(2), await grow(3)]).toEqual([37, 0]);
    expect(await partitionsOf('t')).toHaveLength(3);
  });

  it('are deleted, also under a reader that waits', async () => {
    await createTopic(client, 't');
    using reader = await RawClient.connect(broker);
    const waiting = read(reader, 't', { maxWaitMs: 3_600_000 });
    await client.send(metadata, 12, { topics: [] });
    const remove = async () =>
      (await client.send(deleteTopics, 5, { topicNames: ['t'], timeoutMs: 100 })).responses[0]?.errorCode;
    expect([await remove(), await remove()]).toEqual([0, 3]);
    expect((await waiting).errorCode).toBe(3);
  });

  it('have configurations that say where they come from, and can be changed', async () => {
    await createTopic(client, 't', 1, { 'max.message.bytes': '100' });
    expect(await configOf('t', 'max.message.bytes')).toMatchObject({ value: '100', configSource: 1 });
    expect(await configOf('t', 'segment.ms')).toMatchObject({ value: '604800000', configSource: 5 });
    expect((await configOf('t', 'retention.ms'))?.synonyms).toEqual([{ name: 'log.retention.ms', value: '1234', source: 4 }]);
    expect((await append(client, 't', batchOf(['x'.repeat(200)]))).errorCode).toBe(10);
    const configs = [
      { name: 'max.message.bytes', configOperation: 1, value: undefined },
      { name: 'cleanup.policy', configOperation: 2, value: 'compact' },
    ];
    const resources = [{ resourceType: 2, resourceName: 't', configs }];
    expect((await client.send(incrementalAlterConfigs, 1, { resources })).responses[0]?.errorCode).toBe(0);
    expect((await configOf('t', 'cleanup.policy'))?.value).toBe('delete,compact');
    expect((await append(client, 't', batchOf([`k=${'x'.repeat(200)}`]))).errorCode).toBe(0);
    const all = [{ resourceType: 2, resourceName: 't', configs: [{ name: 'retention.ms', value: '5' }] }];
    expect((await client.send(alterConfigs, 2, { resources: all })).responses[0]?.errorCode).toBe(0);
    expect(await configOf('t', 'cleanup.policy')).toMatchObject({ value: 'delete', configSource: 5 });
    const wrong = [{ resourceType: 2, resourceName: 't', configs: [{ name: 'retention.ms', value: 'soon' }] }];
    expect((await client.send(alterConfigs, 2, { resources: wrong })).responses[0]?.errorCode).toBe(40);
  });

  it('of the broker itself take no records of clients', async () => {
    await awaitCoordinators(client);
    await expect.poll(() => partitionsOf('__consumer_offsets')).toHaveLength(1);
    expect((await append(client, '__consumer_offsets', batchOf(['k=v']))).errorCode).toBe(17);
  });
});
