import {
  createPartitions,
  createTopics,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  describeGroups,
  encodeAssignment,
  initProducerId,
  leaveGroup,
  listGroups,
  listTransactions,
  offsetDelete,
  streamsGroupDescribe,
} from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { ClusterAdmin } from './cluster-admin.ts';

const NEW = { name: 'new', partitions: 2, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } };

describe('topics', () => {
  it('are described, missing ones as undefined', async () => {
    const { cluster } = scriptedKafka({ orders: [1, 2, 1] });
    const found = await new ClusterAdmin(cluster).describeTopics(['orders', 'nowhere']);
    expect(found).toEqual(
      new Map([
        ['orders', { name: 'orders', partitions: 3 }],
        ['nowhere', undefined],
      ]),
    );
  });

  it('are listed', async () => {
    const { cluster } = scriptedKafka({ a: [1], b: [1, 1] });
    expect(await new ClusterAdmin(cluster).listTopics()).toEqual([
      { name: 'a', partitions: 1 },
      { name: 'b', partitions: 2 },
    ]);
  });

  it('are created with their configs, and ready once they have leaders', async () => {
    const { cluster, transport, clock, leaders } = scriptedKafka();
    transport.on(createTopics, ({ topics }) => {
      leaders.set('new', [-1, -1]);
      clock.setTimer(200, () => leaders.set('new', [1, 2]));
      return { topics: topics.map(({ name }) => ({ name, errorCode: 0 })) };
    });
    const before = clock.monotonicMs();
    expect(await clock.until(new ClusterAdmin(cluster).createTopics([NEW]))).toEqual({ existed: [] });
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(200);
    expect(transport.bodies(createTopics)).toMatchObject([
      {
        topics: [
          { name: 'new', numPartitions: 2, replicationFactor: -1, configs: [{ name: 'cleanup.policy', value: 'compact' }] },
        ],
      },
    ]);
  });

  it('that exist already are reported', async () => {
    const { cluster } = scriptedKafka({ new: [1, 1] });
    expect(await new ClusterAdmin(cluster).createTopics([NEW])).toEqual({ existed: ['new'] });
  });

  it('count as created when a lost answer had created them', async () => {
    const { cluster, transport, clock, leaders } = scriptedKafka();
    transport
      .once(createTopics, () => {
        leaders.set('new', [1, 1]);
        return answerLost();
      })
      .on(createTopics, () => ({ topics: [{ name: 'new', errorCode: 36 }] }));
    expect(await clock.until(new ClusterAdmin(cluster).createTopics([NEW]))).toEqual({ existed: [] });
  });

  it('that cannot be created say why', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(createTopics, () => ({ topics: [{ name: 'new', errorCode: 38, errorMessage: 'only one broker' }] }));
    await expect(new ClusterAdmin(cluster).createTopics([NEW])).rejects.toThrow(
      /INVALID_REPLICATION_FACTOR.*only one broker.*new/,
    );
  });

  it('are deleted, also when they are gone already', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(deleteTopics, ({ topicNames }) => ({ responses: topicNames.map((name) => ({ name, errorCode: 3 })) }));
    await new ClusterAdmin(cluster).deleteTopics(['orders']);
    expect(transport.bodies(deleteTopics)).toMatchObject([{ topicNames: ['orders'] }]);
  });

  it('tell their configs', async () => {
    const { cluster, transport } = scriptedKafka();
    const entry = { readOnly: false, isSensitive: false };
    transport.on(describeConfigs, () => ({
      results: [
        {
          errorCode: 0,
          resourceType: 2,
          resourceName: 'orders',
          configs: [
            { name: 'retention.ms', value: '5', ...entry },
            { name: 'secret', ...entry },
          ],
        },
      ],
    }));
    expect(await new ClusterAdmin(cluster).describeConfigs('orders')).toEqual(new Map([['retention.ms', '5']]));
  });

  it('get more partitions', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(createPartitions, () => ({ results: [{ name: 'orders', errorCode: 0 }] }));
    await new ClusterAdmin(cluster).createPartitions('orders', 6);
    expect(transport.bodies(createPartitions)).toMatchObject([{ topics: [{ name: 'orders', count: 6 }] }]);
  });

  it('lose their records at the leaders', async () => {
    const { cluster, transport } = scriptedKafka({ orders: [1, 2] });
    transport.on(deleteRecords, ({ topics }) => ({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({ partitionIndex, lowWatermark: offset, errorCode: 0 })),
      })),
    }));
    await new ClusterAdmin(cluster).deleteRecords([
      { topic: 'orders', partition: 0, offset: 5 },
      { topic: 'orders', partition: 1, offset: 7 },
    ]);
    expect(transport.sent.filter(({ name }) => name === 'DeleteRecords').map(({ target }) => target)).toEqual([1, 2]);
  });
});

describe('groups', () => {
  it('are listed over all brokers', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(listGroups, (_, { target }) => ({
      errorCode: 0,
      groups: [{ groupId: `g${target}`, protocolType: 'consumer' }],
    }));
    expect(await new ClusterAdmin(cluster).listGroups()).toEqual(['g1', 'g2']);
  });

  it('are described by their coordinator, with the partitions of each member once they are decided', async () => {
    const { cluster, transport } = scriptedKafka();
    const assigned = [{ topic: 'orders', partitions: [0, 2] }];
    const bytes = encodeAssignment({ assignedPartitions: assigned, userData: undefined });
    const about = { clientId: 'c', clientHost: '/h', memberMetadata: Buffer.alloc(0) };
    const members = [
      { ...about, memberId: 'm-1', memberAssignment: bytes },
      { ...about, memberId: 'm-2', memberAssignment: Buffer.alloc(0) },
    ];
    transport.on(describeGroups, () => ({
      groups: [{ errorCode: 0, groupId: 'app', groupState: 'Stable', protocolType: 'consumer', protocolData: 'x', members }],
    }));
    const partitions = [0, 2].map((partition) => ({ topic: 'orders', partition }));
    expect(await new ClusterAdmin(cluster).describeGroup('app')).toEqual({
      state: 'Stable',
      members: [
        { memberId: 'm-1', clientId: 'c', host: '/h', partitions },
        { memberId: 'm-2', clientId: 'c', host: '/h', partitions: [] },
      ],
    });
  });

  it('are deleted one by one, and say why not', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(deleteGroups, ({ groupsNames }) => ({
      results: groupsNames.map((groupId) => ({ groupId, errorCode: groupId === 'busy' ? 68 : 0 })),
    }));
    await expect(new ClusterAdmin(cluster).deleteGroups(['idle', 'busy'])).rejects.toThrow(/NON_EMPTY_GROUP/);
  });
});

describe('groups that the broker assigns for', () => {
  const absent = { errorCode: 0, groupId: 'app', groupState: 'Dead', protocolType: '', protocolData: '', members: [] };
  const streams = { groupId: 'app', groupEpoch: 1, assignmentEpoch: 1 };

  it('are described with their members', async () => {
    const { cluster, transport } = scriptedKafka();
    const tasks = { activeTasks: [], standbyTasks: [], warmupTasks: [] };
    const member = {
      ...{ memberId: 'm', memberEpoch: 1, clientId: 'c', clientHost: '/h', topologyEpoch: 0, processId: 'p' },
      ...{ clientTags: [], taskOffsets: [], taskEndOffsets: [], assignment: tasks, targetAssignment: tasks, isClassic: false },
    };
    transport
      .on(describeGroups, () => ({ groups: [absent] }))
      .on(streamsGroupDescribe, () => ({ groups: [{ ...streams, errorCode: 0, groupState: 'Stable', members: [member] }] }));
    expect(await new ClusterAdmin(cluster).describeGroup('app')).toEqual({
      state: 'Stable',
      members: [{ memberId: 'm', clientId: 'c', host: '/h', partitions: [], processId: 'p' }],
    });
  });

  it('and that do not exist either are dead', async () => {
    const { cluster, transport } = scriptedKafka();
    transport
      .on(describeGroups, () => ({ groups: [absent] }))
      .on(streamsGroupDescribe, () => ({ groups: [{ ...streams, errorCode: 69, groupState: '', members: [] }] }));
    expect(await new ClusterAdmin(cluster).describeGroup('app')).toEqual({ state: 'Dead', members: [] });
  });
});

describe('members', () => {
  it('are taken out of their group; one that is gone is fine', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(leaveGroup, ({ members }) => ({
      errorCode: 0,
      members: members.map(({ memberId }) => ({ memberId, errorCode: memberId === 'gone' ? 25 : 0 })),
    }));
    await new ClusterAdmin(cluster).removeMembers('app', ['gone', 'dead']);
    expect(transport.bodies(leaveGroup)).toMatchObject([
      { groupId: 'app', members: [{ memberId: 'gone' }, { memberId: 'dead' }] },
    ]);
  });

  it('stay where the principal may not remove them', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(leaveGroup, () => ({ errorCode: 30, members: [] }));
    await expect(new ClusterAdmin(cluster).removeMembers('app', ['m'])).rejects.toThrow(/GROUP_AUTHORIZATION_FAILED.*grant/);
  });
});

describe('committed offsets', () => {
  const orders = [{ topic: 'orders', partition: 1 }];
  const answer = (errorCode: number, ofPartition: number) => ({
    errorCode,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 1, errorCode: ofPartition }] }],
  });

  it('are forgotten', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(offsetDelete, () => answer(0, 0));
    await new ClusterAdmin(cluster).deleteGroupOffsets('app', orders);
    expect(transport.bodies(offsetDelete)).toMatchObject([
      { groupId: 'app', topics: [{ name: 'orders', partitions: [{ partitionIndex: 1 }] }] },
    ]);
  });

  it.each([
    [69, 0],
    [0, 3],
  ])('that are not there are fine (%i, %i)', async (ofGroup, ofPartition) => {
    const { cluster, transport } = scriptedKafka();
    transport.on(offsetDelete, () => answer(ofGroup, ofPartition));
    await expect(new ClusterAdmin(cluster).deleteGroupOffsets('app', orders)).resolves.toBeUndefined();
  });

  it('stay while members read the topic', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(offsetDelete, () => answer(0, 86));
    await expect(new ClusterAdmin(cluster).deleteGroupOffsets('app', orders)).rejects.toThrow('GROUP_SUBSCRIBED_TO_TOPIC');
  });
});

describe('transactions', () => {
  it('of a dead process are taken over unconditionally', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    transport.once(initProducerId, () => ({ errorCode: 51, producerEpoch: -1 }));
    await clock.until(new ClusterAdmin(cluster).fenceTransactionalId('app-1', 5000));
    expect(transport.bodies(initProducerId)).toMatchObject([
      { transactionalId: 'app-1', transactionTimeoutMs: 5000, producerId: -1 },
      { producerEpoch: -1 },
    ]);
  });

  it('that are open are listed over all brokers', async () => {
    const { cluster, transport } = scriptedKafka();
    const state = { producerId: 1, transactionState: 'Ongoing' };
    transport.on(listTransactions, (_, { target }) => ({
      errorCode: 0,
      transactionStates: [{ transactionalId: `t${target}`, ...state }],
    }));
    expect(await new ClusterAdmin(cluster).listOpenTransactions()).toEqual(['t1', 't2']);
  });

  it('stay untold to whoever may not ask', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(listTransactions, () => ({ errorCode: 31, transactionStates: [] }));
    expect(await new ClusterAdmin(cluster).listOpenTransactions()).toEqual([]);
  });
});
