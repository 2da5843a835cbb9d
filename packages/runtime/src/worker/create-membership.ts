import { parseTaskId } from '@millrace/core';
import type { GroupMember } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import { planTasks, sourceTopicsOf } from '../assignment/plan-tasks.ts';
import { AssignmentReader } from '../assignment/read-assignment.ts';
import { StreamsAssignor } from '../assignment/streams-assignor.ts';
import { StreamsGroupHosts } from '../assignment/streams-group-hosts.ts';
import { createStreamsGroupMember } from '../assignment/streams-group-membership.ts';
import type { TopologyContract } from '../assignment/topology-contract.ts';
import type { StreamsComponents } from '../components.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import type { StandbyUpdater } from '../standby/standby-updater.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import { isOwnTransactionalId } from '../topics/topic-names.ts';
import { Membership } from './membership.ts';
import type { TaskManager } from './task-manager.ts';

export interface CreateMembershipOptions {
  readonly plan: TopologyPlan;
  readonly contract: TopologyContract;
  readonly settings: ResolvedSettings;
  readonly components: StreamsComponents;
  readonly directory: StateDirectory;
  readonly transactionalId: string;
  readonly manager: TaskManager;
  readonly standbys: StandbyUpdater;
  readonly asksForShutdown: boolean;
}

/** Makes the worker a member of the application's group, with what it says there and how it reads what it is told. */
export function createMembership(options: CreateMembershipOptions): { member: GroupMember; membership: Membership } {
  const { plan, contract, settings, components, directory, manager } = options;
  const { clock, logger } = components;
  const { applicationId, onTopologyMismatch, groupInstanceId, applicationServer } = settings;
  const isAssignedByBroker = settings.groupProtocol === 'streams';
  const member = isAssignedByBroker ? createStreamsMember(options) : createClassicMember(options);
  const { processId } = directory;
  const staticEndpoint = groupInstanceId === undefined ? undefined : applicationServer;
  const reader = new AssignmentReader({ plan, contract, applicationId, processId, onTopologyMismatch, staticEndpoint, logger });
  const hosts = new StreamsGroupHosts(plan, applicationId);
  const membership = new Membership({
    member,
    clock,
    readAssignment: (assignment) => reader.read(assignment),
    stateOffsets: () => manager.stateOffsets(),
    brokersHosts: isAssignedByBroker ? () => hosts.of(member.endpoints ?? []) : undefined,
  });
  return { member, membership };
}

function createClassicMember(options: CreateMembershipOptions): GroupMember {
  const { settings, components } = options;
  return components.client.createGroupMember({
    groupId: settings.applicationId,
    ...(settings.groupInstanceId === undefined ? {} : { groupInstanceId: settings.groupInstanceId }),
    sessionTimeoutMs: settings.sessionTimeoutMs,
    rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    assignor: createAssignor(options),
  });
}

function createStreamsMember(options: CreateMembershipOptions): GroupMember {
  const { plan, contract, settings, components, directory, manager, standbys, asksForShutdown } = options;
  return createStreamsGroupMember({
    client: components.client,
    logger: components.logger,
    plan,
    settings,
    processId: directory.processId,
    fingerprint: contract.fingerprint,
    asksForShutdown,
    ownedTasks: () => ({ active: manager.tasks.all.map(({ id }) => id), standby: standbys.taskIds.map(parseTaskId) }),
  });
}

function createAssignor(options: CreateMembershipOptions): StreamsAssignor {
  const { plan, contract, settings, components, directory, transactionalId, manager, standbys } = options;
  const { client, clock, logger } = components;
  const { applicationId } = settings;
  const verifiedTopics = new Set<string>();
  return new StreamsAssignor({
    admin: client.admin,
    offsets: client.offsets,
    clock,
    logger,
    contract,
    placement: settings,
    probingRebalanceIntervalMs: settings.probingRebalanceIntervalMs,
    transactionTimeoutMs: settings.transactionTimeoutMs,
    topics: () => sourceTopicsOf(plan, applicationId),
    describeSelf: () => ({
      processId: directory.processId,
      transactionalId,
      fingerprint: contract.fingerprint,
      endpoint: settings.applicationServer ?? '',
      activeTasks: manager.tasks.all.map(({ id }) => id),
      standbyTasks: standbys.taskIds.map(parseTaskId),
      stateOffsets: manager.stateOffsets(),
      clientTags: new Map(Object.entries(settings.clientTags)),
      asksForShutdown: options.asksForShutdown,
    }),
    planTasks: () => planTasks({ plan, settings, admin: client.admin, offsets: client.offsets, logger, verifiedTopics }),
    isOwnTransactionalId: (id) => isOwnTransactionalId(applicationId, id),
  });
}
