import { requestFrame } from '@millrace/broker/raw-client';
import {
  type Api,
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
  type RequestInput,
  txnOffsetCommit,
} from '@millrace/wire';

const identity = { correlationId: 1, clientId: 'fuzz' };
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
    frameOf(apiVersions, 3, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' }),
    frameOf(metadata, 12, { topics: [{ name: 'fuzzed' }] }),
    frameOf(metadata, 1, { topics: undefined }),
    ...[3, 9].map((version) =>
      frameOf(produce, version, {
        acks: -1,
        timeoutMs: 100,
        topicData: [{ name: 'fuzzed', partitionData: [{ index: 0, records: batch() }] }],
      }),
    ),
    ...[4, 12].map((version) =>
      frameOf(fetch, version, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: 'fuzzed', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
      }),
    ),
    frameOf(listOffsets, 7, { topics: [{ name: 'fuzzed', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }),
    frameOf(createTopics, 7, {
      topics: [{ name: 'fuzzed', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'retention.ms', value: '1000' }] }],
      validateOnly: true,
    }),
    frameOf(describeConfigs, 4, { resources: [{ resourceType: 2, resourceName: 'fuzzed' }] }),
    frameOf(alterConfigs, 2, { resources: [{ resourceType: 2, resourceName: 'fuzzed', configs: [] }], validateOnly: true }),
    frameOf(findCoordinator, 4, { coordinatorKeys: ['g'] }),
    frameOf(joinGroup, 9, {
      groupId: 'g',
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription }],
    }),
    frameOf(heartbeat, 4, group),
    frameOf(offsetCommit, 8, { groupId: 'g', topics }),
    frameOf(offsetFetch, 8, { groups: [{ groupId: 'g' }] }),
    frameOf(deleteGroups, 2, { groupsNames: ['g'] }),
    frameOf(initProducerId, 4, { transactionalId: 'x', transactionTimeoutMs: 1000 }),
    frameOf(endTxn, 4, { ...transaction, committed: true }),
    frameOf(txnOffsetCommit, 3, { ...transaction, ...group, topics }),
  ];
}

function frameOf<A extends Api>(api: A, version: number, body: RequestInput<A>): Buffer {
  return requestFrame(api, version, body, identity);
}
