import { describe, expect, it } from 'vitest';
import { BackgroundFetcher } from '../fetch/background-fetcher.ts';
import { ClassicGroupMember } from '../group/classic-group-member.ts';
import { StreamsGroupMember } from '../group/streams-group-member.ts';
import { ClusterOffsets } from '../offsets/cluster-offsets.ts';
import { BatchingProducer } from '../produce/batching-producer.ts';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { ExactlyOnceProducer } from '../transaction/exactly-once-producer.ts';
import type { ClientPart, Cluster } from './cluster.ts';

const never = (): never => {
  throw new Error('nobody joins here');
};
const streamsGroup = { groupId: 'app', processId: 'p', subtopologies: [], ownedTasks: never, assignmentOf: never };
const assignor = { name: 'none', subscription: never, assign: never };

const PARTS: readonly (readonly [what: string, make: (cluster: Cluster) => ClientPart])[] = [
  ['fetcher', (cluster) => new BackgroundFetcher(cluster)],
  ['producer', (cluster) => new BatchingProducer(cluster)],
  [
    'transactional producer',
    (cluster) => new ExactlyOnceProducer(cluster, new ClusterOffsets(cluster), { transactionalId: 'app-1' }),
  ],
  ['member of a classic group', (cluster) => new ClassicGroupMember(cluster, { groupId: 'app', assignor })],
  ['member of a streams group', (cluster) => new StreamsGroupMember(cluster, streamsGroup)],
];

describe('what a client has made', () => {
  it.each(PARTS)('and is a %s is let go of when it is closed: a long life makes many', async (_what, make) => {
    const { cluster } = scriptedKafka();
    const part = make(cluster);
    cluster.openParts.add(part);
    await part.close();
    expect([...cluster.openParts]).toEqual([]);
  });
});
