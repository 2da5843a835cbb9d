import type { Api } from '../schema/api.ts';
import { apiVersions, describeCluster } from './cluster.ts';
import { alterConfigs, describeConfigs, incrementalAlterConfigs } from './configs.ts';
import { fetch } from './fetch.ts';
import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
} from './groups.ts';
import { metadata } from './metadata.ts';
import { listOffsets, offsetCommit, offsetDelete, offsetFetch, offsetForLeaderEpoch } from './offsets.ts';
import { produce } from './produce.ts';
import { saslAuthenticate, saslHandshake } from './sasl.ts';
import { streamsGroupDescribe, streamsGroupHeartbeat } from './streams-groups.ts';
import { createPartitions, createTopics, deleteRecords, deleteTopics } from './topics.ts';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  describeTransactions,
  endTxn,
  initProducerId,
  listTransactions,
  txnOffsetCommit,
} from './transactions.ts';

/** Every API that is described, by name. Its keys are the `api_key` of the protocol. */
export const ApiKey = {
  Produce: produce.key,
  Fetch: fetch.key,
  ListOffsets: listOffsets.key,
  Metadata: metadata.key,
  OffsetCommit: offsetCommit.key,
  OffsetFetch: offsetFetch.key,
  FindCoordinator: findCoordinator.key,
  JoinGroup: joinGroup.key,
  Heartbeat: heartbeat.key,
  LeaveGroup: leaveGroup.key,
  SyncGroup: syncGroup.key,
  DescribeGroups: describeGroups.key,
  ListGroups: listGroups.key,
  SaslHandshake: saslHandshake.key,
  ApiVersions: apiVersions.key,
  CreateTopics: createTopics.key,
  DeleteTopics: deleteTopics.key,
  DeleteRecords: deleteRecords.key,
  InitProducerId: initProducerId.key,
  OffsetForLeaderEpoch: offsetForLeaderEpoch.key,
  AddPartitionsToTxn: addPartitionsToTxn.key,
  AddOffsetsToTxn: addOffsetsToTxn.key,
  EndTxn: endTxn.key,
  TxnOffsetCommit: txnOffsetCommit.key,
  DescribeConfigs: describeConfigs.key,
  AlterConfigs: alterConfigs.key,
  SaslAuthenticate: saslAuthenticate.key,
  CreatePartitions: createPartitions.key,
  DeleteGroups: deleteGroups.key,
  IncrementalAlterConfigs: incrementalAlterConfigs.key,
  OffsetDelete: offsetDelete.key,
  DescribeCluster: describeCluster.key,
  DescribeTransactions: describeTransactions.key,
  ListTransactions: listTransactions.key,
  StreamsGroupHeartbeat: streamsGroupHeartbeat.key,
  StreamsGroupDescribe: streamsGroupDescribe.key,
} as const;

/** Every API that is described. */
export const apis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  txnOffsetCommit,
  describeConfigs,
  alterConfigs,
  saslAuthenticate,
  createPartitions,
  deleteGroups,
  incrementalAlterConfigs,
  offsetDelete,
  describeCluster,
  describeTransactions,
  listTransactions,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
];

const byKey = new Map(apis.map((api) => [api.key, api]));

/** The API with that key, if it is described. */
export function apiByKey(key: number): Api | undefined {
  return byKey.get(key);
}
