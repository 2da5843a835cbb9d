import { formatTaskId, type Logger, type TaskId } from '@millrace/core';
import { type GroupMember, type KafkaClient, parseEndpoint, type StreamsGroupTarget } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import type { ResolvedSettings } from '../settings/settings.ts';
import { fenceDepartedProcesses } from './departed-processes.ts';
import { assignmentForTarget, taskIds, tasksBySubtopology } from './streams-group-assignment.ts';
import { streamsGroupTopology } from './streams-group-topology.ts';

export interface StreamsGroupMembershipOptions {
  readonly client: KafkaClient;
  readonly logger: Logger;
  readonly plan: TopologyPlan;
  readonly settings: ResolvedSettings;
  readonly processId: string;
  /** Of the topology's contract. */
  readonly fingerprint: string;
  readonly asksForShutdown: boolean;
  /** The tasks that are open on this worker. */
  readonly ownedTasks: () => { readonly active: readonly TaskId[]; readonly standby: readonly TaskId[] };
}

/**
 * Makes the worker a member of a group whose tasks the broker assigns.
 *
 * @throws TopologyError `PATTERN_UNSUPPORTED`
 */
export function createStreamsGroupMember(options: StreamsGroupMembershipOptions): GroupMember {
  const { client, plan, settings, processId, fingerprint, asksForShutdown, ownedTasks } = options;
  const { applicationId, rebalanceTimeoutMs, heartbeatIntervalMs, clientTags, applicationServer } = settings;
  const userEndpoint = applicationServer === undefined ? undefined : parseEndpoint(applicationServer);
  let warmups: ReadonlySet<string> = new Set();
  const assignmentOf = (target: StreamsGroupTarget) => {
    warmups = new Set(taskIds(target.warmup).map(formatTaskId));
    // Beside the join, during which nothing can be committed: whoever needs what a transaction holds back waits for its end.
    if (settings.guarantee === 'exactly_once_v2' && isMore(target, ownedTasks())) void fenceDepartedBy(options);
    return assignmentForTarget(target, { plan, applicationId, admin: client.admin, madeFor: { processId, fingerprint } });
  };
  return client.createStreamsGroupMember({
    groupId: applicationId,
    processId,
    rebalanceTimeoutMs,
    heartbeatIntervalMs,
    clientTags,
    ...(userEndpoint === undefined ? {} : { userEndpoint }),
    asksForShutdown,
    subtopologies: streamsGroupTopology(plan, settings),
    ownedTasks: () => {
      const { active, standby } = ownedTasks();
      const isWarmup = (id: TaskId): boolean => warmups.has(formatTaskId(id));
      return {
        active: tasksBySubtopology(active),
        standby: tasksBySubtopology(standby.filter((id) => !isWarmup(id))),
        warmup: tasksBySubtopology(standby.filter(isWarmup)),
      };
    },
    assignmentOf,
  });
}

/** True when the target has an active task that was not here before: it may have been that of a worker that is gone. */
function isMore({ active }: StreamsGroupTarget, owned: { readonly active: readonly TaskId[] }): boolean {
  const ownedIds = new Set(owned.active.map(formatTaskId));
  return taskIds(active).some((id) => !ownedIds.has(formatTaskId(id)));
}

function fenceDepartedBy({ client, logger, settings, processId }: StreamsGroupMembershipOptions): Promise<void> {
  const { applicationId, transactionTimeoutMs } = settings;
  return fenceDepartedProcesses({ admin: client.admin, logger, applicationId, processId, transactionTimeoutMs });
}
