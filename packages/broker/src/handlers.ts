import type { ResolvedComponents } from './broker-components.ts';
import type { BrokerState } from './broker-state.ts';
import { alterConfigsHandler, incrementalAlterConfigsHandler } from './configs/alter-configs.ts';
import { describeConfigsHandler } from './configs/describe-configs.ts';
import { deleteGroupsHandler, offsetDeleteHandler } from './groups/delete-groups.ts';
import { describeGroupsHandler, listGroupsHandler } from './groups/describe-groups.ts';
import { findCoordinatorHandler } from './groups/find-coordinator.ts';
import { heartbeatHandler } from './groups/heartbeat.ts';
import { joinGroupHandler } from './groups/join-group.ts';
import { leaveGroupHandler } from './groups/leave-group.ts';
import { offsetCommitHandler } from './groups/offset-commit.ts';
import { offsetFetchHandler } from './groups/offset-fetch.ts';
import { syncGroupHandler } from './groups/sync-group.ts';
import { txnOffsetCommitHandler } from './groups/txn-offset-commit.ts';
import type { ClusterView } from './placement/cluster-view.ts';
import { coordinated } from './placement/coordinated.ts';
import { LedLogs } from './placement/led-logs.ts';
import { fetchHandler } from './records/fetch.ts';
import { listOffsetsHandler } from './records/list-offsets.ts';
import { offsetForLeaderEpochHandler } from './records/offset-for-leader-epoch.ts';
import { produceHandler } from './records/produce.ts';
import { apiVersionsHandler } from './server/api-versions.ts';
import { describeClusterHandler } from './server/describe-cluster.ts';
import type { Handler } from './server/handler.ts';
import type { ResolvedBrokerSettings } from './settings/broker-settings.ts';
import { autoCreation } from './topics/auto-creation.ts';
import { createPartitionsHandler } from './topics/create-partitions.ts';
import { createTopicsHandler } from './topics/create-topics.ts';
import { deleteRecordsHandler } from './topics/delete-records.ts';
import { deleteTopicsHandler } from './topics/delete-topics.ts';
import { metadataHandler } from './topics/metadata.ts';
import { addOffsetsToTxnHandler } from './transactions/add-offsets-to-txn.ts';
import { addPartitionsToTxnHandler } from './transactions/add-partitions-to-txn.ts';
import { endTxnHandler } from './transactions/end-txn.ts';
import { initProducerIdHandler } from './transactions/init-producer-id.ts';
import { describeTransactionsHandler, listTransactionsHandler } from './transactions/list-transactions.ts';
import { offsetCommitVersions, produceVersions, TransactionGate } from './transactions/transaction-gate.ts';

/** What the handlers are made from. */
export interface HandlerContext {
  readonly state: BrokerState;
  readonly settings: ResolvedBrokerSettings;
  readonly components: ResolvedComponents;
  readonly cluster: () => ClusterView;
}

/**
 * Everything that this broker answers. Versions stop where topics are named by ids (Produce 13), but for Fetch 13, which tells a
 * topic from another one of the same name; those of transactions of version 2 are offered only with these.
 */
export function createHandlers(context: HandlerContext): readonly Handler[] {
  const handlers = [
    ...topicHandlers(context),
    ...recordHandlers(context),
    ...groupHandlers(context),
    ...transactionHandlers(context),
  ];
  const isBumping = context.settings.transactionVersion === 2;
  const finalizedFeatures = new Map(isBumping ? [['transaction.version', 2]] : []);
  return [...handlers, apiVersionsHandler({ handlers, finalizedFeatures })];
}

function topicHandlers({ state, settings, components: { clock }, cluster }: HandlerContext): Handler[] {
  const { topics, placement } = state;
  const { nodeIds } = placement;
  const { nodeId, strictConfigs, defaultPartitions, topicDefaults } = settings;
  const limits = { strict: strictConfigs };
  const brokerConfigs = new Map([
    ['broker.id', String(nodeId)],
    ['default.replication.factor', '1'],
    ['num.partitions', String(defaultPartitions)],
    ['auto.create.topics.enable', String(settings.autoCreateTopics)],
    ['group.min.session.timeout.ms', String(settings.groupMinSessionTimeoutMs)],
    ['group.max.session.timeout.ms', String(settings.groupMaxSessionTimeoutMs)],
    ['transaction.max.timeout.ms', String(settings.transactionMaxTimeoutMs)],
  ]);
  return [
    metadataHandler(topics, {
      cluster,
      placement,
      autoCreate: settings.autoCreateTopics ? autoCreation(topics, clock, defaultPartitions) : undefined,
    }),
    describeClusterHandler(cluster),
    createTopicsHandler(topics, { ...limits, nodeIds, defaultPartitions, topicDefaults }),
    deleteTopicsHandler(topics),
    createPartitionsHandler(topics, nodeIds),
    deleteRecordsHandler(new LedLogs(topics, placement)),
    describeConfigsHandler(topics, nodeId, brokerConfigs),
    alterConfigsHandler(topics, limits),
    incrementalAlterConfigsHandler(topics, limits),
  ];
}

function recordHandlers({ state, settings, components: { clock } }: HandlerContext): Handler[] {
  const logs = new LedLogs(state.topics, state.placement);
  const gate = new TransactionGate(state.coordinator, produceVersions);
  return [
    produceHandler({ logs, gate, clock, versionMax: settings.transactionVersion === 2 ? 12 : 11 }),
    fetchHandler(logs, clock, 13),
    listOffsetsHandler(logs),
    offsetForLeaderEpochHandler(logs),
  ];
}

function groupHandlers({ state, settings, components: { clock, random }, cluster }: HandlerContext): Handler[] {
  const { groups, rebalancer, topics, coordinator, placement } = state;
  const gate = new TransactionGate(coordinator, offsetCommitVersions);
  const { groupMinSessionTimeoutMs: sessionTimeoutMinMs, groupMaxSessionTimeoutMs: sessionTimeoutMaxMs } = settings;
  const ofGroups = [
    joinGroupHandler({ groups, rebalancer, random, sessionTimeoutMinMs, sessionTimeoutMaxMs }),
    syncGroupHandler(groups, rebalancer),
    heartbeatHandler(groups, rebalancer),
    leaveGroupHandler(groups, rebalancer),
    describeGroupsHandler(groups),
    deleteGroupsHandler(groups),
    offsetCommitHandler({ groups, rebalancer, topics, clock }),
    offsetFetchHandler(groups),
    offsetDeleteHandler(groups, topics),
    txnOffsetCommitHandler({ groups, topics, gate, clock, versionMax: settings.transactionVersion === 2 ? 5 : 4 }),
  ];
  return [
    findCoordinatorHandler({ cluster, placement, topics: [state.offsetsTopic, state.transactionsTopic] }),
    listGroupsHandler(groups, placement),
    ...ofGroups.map((handler) => coordinated('group', placement, handler)),
  ];
}

function transactionHandlers({ state, settings, components: { clock } }: HandlerContext): Handler[] {
  const { coordinator, producerIds, topics, placement } = state;
  const ofTransactions = [
    initProducerIdHandler({ coordinator, producerIds, timeoutMaxMs: settings.transactionMaxTimeoutMs }),
    addPartitionsToTxnHandler(coordinator, topics),
    addOffsetsToTxnHandler(coordinator),
    endTxnHandler(coordinator, settings.transactionVersion === 2 ? 5 : 4),
    describeTransactionsHandler(coordinator),
  ];
  return [
    listTransactionsHandler(coordinator, clock, placement),
    ...ofTransactions.map((handler) => coordinated('transaction', placement, handler)),
  ];
}
