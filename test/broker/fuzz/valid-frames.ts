import {
  alterConfigs,
  apiVersions,
  createTopics,
  deleteGroups,
  describeConfigs,
  encodeSubscription,
  endTxn,
  fetch,
  findCoordinator,
  heartbeat,
  initProducerId,
  joinGroup,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  produce,
  RecordBatchBuilder,
  txnOffsetCommit,
} from '@millrace/wire';
import { frameOf } from '../differential/connection.ts';

const partitions = [{ partitionIndex: 0, committedOffset: 1 }];
const topics = [{ name: 'fuzzed', partitions }];

function batch(): Buffer {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < 3; i++)
    builder.appendRecord({ timestamp: 1_750_000_000_000, key: Buffer.from('k'), value: Buffer.from('v') });
  return Buffer.from(builder.finish({ compression: 'gzip' }));
}

/** Requests of all kinds that a broker understands: what they are turned into by a flipped bit is nearly understood. */
export function validFrames(): Buffer[] {
  const group = { groupId: 'g', generationId: 1, memberId: 'm' };
  const transaction = { transactionalId: 'x', producerId: 1, producerEpoch: 0 };
  const subscription = encodeSubscription({ topics: ['fuzzed'] });
  return [
    frameOf(apiVersions, 3, 1, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' }),
    frameOf(metadata, 12, 1, { topics: [{ name: 'fuzzed' }] }),
    frameOf(metadata, 1, 1, { topics: undefined }),
    ...[3, 9].map((version) =>
      frameOf(produce, version, 1, {
        acks: -1,
        timeoutMs: 100,
        topicData: [{ name: 'fuzzed', partitionData: [{ index: 0, records: batch() }] }],
      }),
    ),
    ...[4, 12].map((version) =>
      frameOf(fetch, version, 1, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: 'fuzzed', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
      }),
    ),
    frameOf(listOffsets, 7, 1, { topics: [{ name: 'fuzzed', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }),
    frameOf(createTopics, 7, 1, {
      topics: [{ name: 'fuzzed', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'retention.ms', value: '1000' }] }],
      validateOnly: true,
    }),
    frameOf(describeConfigs, 4, 1, { resources: [{ resourceType: 2, resourceName: 'fuzzed' }] }),
    frameOf(alterConfigs, 2, 1, { resources: [{ resourceType: 2, resourceName: 'fuzzed', configs: [] }], validateOnly: true }),
    frameOf(findCoordinator, 4, 1, { coordinatorKeys: ['g'] }),
    frameOf(joinGroup, 9, 1, {
      groupId: 'g',
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription }],
    }),
    frameOf(heartbeat, 4, 1, group),
    frameOf(offsetCommit, 8, 1, { groupId: 'g', topics }),
    frameOf(offsetFetch, 8, 1, { groups: [{ groupId: 'g' }] }),
    frameOf(deleteGroups, 2, 1, { groupsNames: ['g'] }),
    frameOf(initProducerId, 4, 1, { transactionalId: 'x', transactionTimeoutMs: 1000 }),
    frameOf(endTxn, 4, 1, { ...transaction, committed: true }),
    frameOf(txnOffsetCommit, 3, 1, { ...transaction, ...group, topics }),
  ];
}
