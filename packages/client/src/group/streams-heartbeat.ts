import type { StreamsGroupHeartbeatInput, StreamsGroupHeartbeatResponse } from '@millrace/wire';
import type {
  StreamsGroupMemberOptions,
  StreamsGroupSubtopology,
  StreamsGroupTasks,
  StreamsGroupTopic,
} from '../port/streams-group.ts';
import { NO_ENDPOINT_EPOCH } from './streams-endpoints.ts';

/** Epochs that are none: of a member that joins, and of one that leaves. */
const JOINING_EPOCH = 0;
const LEAVING_EPOCH = -1;

/** The topology has this version in the group; a group keeps the topology that it was made with (Kafka 4.3). */
const TOPOLOGY_EPOCH = 0;

export const NO_TASKS: StreamsGroupTasks = Object.freeze({ active: [], standby: [], warmup: [] });

/** Who one is in the group. */
interface StreamsIdentity {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly endpointInformationEpoch: number;
  readonly userEndpoint: StreamsGroupMemberOptions['userEndpoint'] | undefined;
}

/** A member that joins says everything, and that it owns nothing. */
export function joinRequest(
  options: StreamsGroupMemberOptions,
  memberId: string,
  rebalanceTimeoutMs: number,
): StreamsGroupHeartbeatInput {
  return {
    groupId: options.groupId,
    memberId,
    memberEpoch: JOINING_EPOCH,
    endpointInformationEpoch: NO_ENDPOINT_EPOCH,
    rebalanceTimeoutMs,
    topology: { epoch: TOPOLOGY_EPOCH, subtopologies: options.subtopologies.map(describe) },
    ...owned(NO_TASKS),
    processId: options.processId,
    clientTags: Object.entries(options.clientTags ?? {}).map(([key, value]) => ({ key, value })),
    shutdownApplication: options.asksForShutdown === true,
  };
}

/** Later it says only what has changed. @param tasks what it owns, unless the broker knows that already */
export function heartbeatRequest(
  { groupId, asksForShutdown }: StreamsGroupMemberOptions,
  identity: StreamsIdentity,
  tasks: StreamsGroupTasks | undefined,
): StreamsGroupHeartbeatInput {
  const shutdownApplication = asksForShutdown === true;
  return { groupId, ...identity, ...(tasks === undefined ? {} : owned(tasks)), shutdownApplication };
}

export function leaveRequest({ groupId }: StreamsGroupMemberOptions, memberId: string): StreamsGroupHeartbeatInput {
  return { groupId, memberId, memberEpoch: LEAVING_EPOCH };
}

/** The tasks that an answer assigns; `undefined` when they are those of the answer before. */
export function assignedIn(response: StreamsGroupHeartbeatResponse): StreamsGroupTasks | undefined {
  const { activeTasks, standbyTasks, warmupTasks } = response;
  if (activeTasks === undefined && standbyTasks === undefined && warmupTasks === undefined) return undefined;
  return { active: activeTasks ?? [], standby: standbyTasks ?? [], warmup: warmupTasks ?? [] };
}

/** Equal for equal sets of tasks, in whatever order they are named. */
export function tasksKey({ active, standby, warmup }: StreamsGroupTasks): string {
  return [active, standby, warmup]
    .map((tasks) =>
      tasks
        .flatMap(({ subtopologyId, partitions }) => partitions.map((partition) => `${subtopologyId}_${partition}`))
        .sort()
        .join(' '),
    )
    .join('|');
}

function owned({ active, standby, warmup }: StreamsGroupTasks) {
  return { activeTasks: active, standbyTasks: standby, warmupTasks: warmup };
}

/** The broker compares topologies by their bytes: everything is sorted. */
function describe(subtopology: StreamsGroupSubtopology) {
  const sourceTopics = [...new Set(subtopology.sourceTopics)].sort();
  const repartitionSources = sortedTopics(subtopology.repartitionSources);
  const names = repartitionSources.map(({ name }) => name);
  return {
    subtopologyId: subtopology.id,
    sourceTopics,
    sourceTopicRegex: [],
    stateChangelogTopics: sortedTopics(subtopology.changelogs),
    repartitionSinkTopics: [...subtopology.repartitionSinks].sort(),
    repartitionSourceTopics: repartitionSources,
    copartitionGroups: subtopology.copartitionGroups.map((group) => ({
      sourceTopics: positions(group, sourceTopics),
      sourceTopicRegex: [],
      repartitionSourceTopics: positions(group, names),
    })),
  };
}

function sortedTopics(topics: readonly StreamsGroupTopic[]) {
  return topics
    .map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      partitions: partitions ?? 0,
      replicationFactor: Math.max(0, replicationFactor),
      topicConfigs: Object.entries(configs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, value })),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function positions(group: readonly string[], topics: readonly string[]): number[] {
  return group
    .map((topic) => topics.indexOf(topic))
    .filter((position) => position >= 0)
    .sort((a, b) => a - b);
}
