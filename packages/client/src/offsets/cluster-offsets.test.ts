import {
  listOffsets,
  offsetCommit,
  offsetFetch,
  type ListOffsetsRequest,
  type OffsetFetchRequest,
  type ResponseInput,
} from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { ClusterOffsets } from './cluster-offsets.ts';

const BOTH = [
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
];
const GROUP = { groupId: 'app', generationId: 2, memberId: 'm', groupInstanceId: undefined };

function fetched(request: OffsetFetchRequest, errorOf: (partition: number) => number): ResponseInput<typeof offsetFetch> {
  return {
    groups: request.groups.map(({ groupId, topics }) => ({
      groupId,
      errorCode: 0,
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => {
          const errorCode = errorOf(partitionIndex);
          return { partitionIndex, committedOffset: errorCode === 0 ? partitionIndex + 40 : -1, metadata: 'm', errorCode };
        }),
      })),
    })),
  };
}

function listed(request: ListOffsetsRequest, errorCode = 0): ResponseInput<typeof listOffsets> {
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        partitionIndex,
        errorCode,
        offset: timestamp === -2 ? 3 : 30 + partitionIndex,
      })),
    })),
  };
}

describe('committed offsets', () => {
  it('wait for transactions that are about to end, and ask again only for what they touch', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    transport
      .once(offsetFetch, (request) => fetched(request, (partition) => (partition === 1 ? 88 : 0)))
      .on(offsetFetch, (request) => fetched(request, () => 0));
    const found = await clock.until(new ClusterOffsets(cluster).committed('app', BOTH));
    expect(found).toEqual([
      { topic: 'orders', partition: 0, offset: 40, metadata: 'm' },
      { topic: 'orders', partition: 1, offset: 41, metadata: 'm' },
    ]);
    const requests = transport.bodies(offsetFetch);
    expect(requests.every(({ requireStable }) => requireStable)).toBe(true);
    expect(requests[1]?.groups[0]?.topics).toEqual([{ name: 'orders', partitionIndexes: [1] }]);
  });

  it('look the coordinator up again when it has moved', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    transport
      .once(offsetFetch, (request) => ({ groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode: 16 })) }))
      .on(offsetFetch, (request) => fetched(request, () => 0));
    expect(await clock.until(new ClusterOffsets(cluster).committed('app', BOTH))).toHaveLength(2);
  });

  it('need no request when nothing is asked', async () => {
    const { cluster, transport } = scriptedKafka();
    expect(await new ClusterOffsets(cluster).committed('app', [])).toEqual([]);
    expect(transport.sent).toEqual([]);
  });
});

describe('committing offsets', () => {
  const offsets = [{ topic: 'orders', partition: 0, offset: 5, metadata: 't' }];
  const answer = (errorCode: number): ResponseInput<typeof offsetCommit> => ({
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, errorCode }] }],
  });

  it('names member and generation', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.on(offsetCommit, () => answer(0));
    await new ClusterOffsets(cluster).commit(GROUP, offsets);
    expect(transport.bodies(offsetCommit)).toMatchObject([{ groupId: 'app', generationIdOrMemberEpoch: 2, memberId: 'm' }]);
  });

  it.each([22, 25, 82])('is refused from an older generation (%i)', async (errorCode) => {
    const { cluster, transport } = scriptedKafka();
    transport.on(offsetCommit, () => answer(errorCode));
    await expect(new ClusterOffsets(cluster).commit(GROUP, offsets)).rejects.toMatchObject({ name: 'TaskMigratedError' });
  });

  it('gives up after a minute of retries', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    transport.on(offsetCommit, () => answer(14));
    await expect(clock.until(new ClusterOffsets(cluster).commit(GROUP, offsets))).rejects.toMatchObject({
      name: 'RetriableError',
    });
  });
});

describe('listing offsets', () => {
  it.each([
    ['earliest', -2, 0, 3],
    ['latest', -1, 0, 30],
    ['latest-stable', -1, 1, 30],
    [{ atMs: 1_700_000_000_000 }, 1_700_000_000_000, 0, 30],
  ] as const)('%j', async (which, timestamp, isolationLevel, first) => {
    const { cluster, transport } = scriptedKafka({ orders: [1, 2] });
    transport.on(listOffsets, (request) => listed(request));
    const found = await new ClusterOffsets(cluster).list(BOTH, which);
    expect(found.get('orders-0')).toBe(first);
    expect(found.size).toBe(2);
    expect(transport.bodies(listOffsets)).toHaveLength(2);
    expect(transport.bodies(listOffsets)[0]).toMatchObject({ isolationLevel, topics: [{ partitions: [{ timestamp }] }] });
  });

  it('follows a leader that moves', async () => {
    const { cluster, transport, clock, leaders } = scriptedKafka({ orders: [1, 2] });
    transport
      .once(listOffsets, (request) => {
        leaders.set('orders', [2, 2]);
        return listed(request, 6);
      })
      .on(listOffsets, (request) => listed(request));
    const found = await clock.until(new ClusterOffsets(cluster).list(BOTH, 'latest'));
    expect(found.size).toBe(2);
  });
});
