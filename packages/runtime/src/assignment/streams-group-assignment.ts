import { FatalStreamsError, RetriableError, type TaskId, type TopicPartition } from '@millrace/core';
import type { Admin, MemberAssignment, StreamsGroupTarget, StreamsTasks } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import { internalTopicName } from '../topics/topic-names.ts';
import { encodeAssignmentData, NO_ASSIGNMENT, type AssignmentData } from './assignment-data.ts';

export interface StreamsGroupAssignmentOptions {
  readonly plan: TopologyPlan;
  readonly applicationId: string;
  readonly admin: Admin;
  /** Whom the assignment is made for, see `AssignmentData`. */
  readonly madeFor: NonNullable<AssignmentData['madeFor']>;
}

/**
 * Says in a leader's words what the broker wants, so that a worker needs only one way to read them. Which partitions a task reads
 * the broker leaves to the member: of each input of its sub-topology the one with the task's number, where there is one.
 *
 * @throws RetriableError while topics that the broker has just made are not known everywhere; FatalStreamsError for a task of
 * another topology
 */
export async function assignmentForTarget(
  target: StreamsGroupTarget,
  { plan, applicationId, admin, madeFor }: StreamsGroupAssignmentOptions,
): Promise<MemberAssignment> {
  const activeTasks = taskIds(target.active);
  const inputs = inputTopics(plan, applicationId, new Set(activeTasks.map(({ subtopology }) => subtopology)));
  const counts = await partitionCounts([...new Set([...inputs.values()].flat())], admin);
  const partitionsOf = ({ subtopology, partition }: TaskId): TopicPartition[] =>
    (inputs.get(subtopology) ?? [])
      .filter((topic) => partition < (counts.get(topic) ?? 0))
      .map((topic) => ({ topic, partition }));
  const standbyTasks = taskIds([...target.standby, ...target.warmup]);
  return {
    partitions: activeTasks.flatMap(partitionsOf),
    userData: encodeAssignmentData({ ...NO_ASSIGNMENT, activeTasks, standbyTasks, madeFor, shutdown: target.shutdown }),
  };
}

/** Tasks as a streams group names them. */
export function tasksBySubtopology(ids: readonly TaskId[]): StreamsTasks[] {
  const partitions = new Map<number, number[]>();
  for (const { subtopology, partition } of ids) {
    const known = partitions.get(subtopology);
    if (known === undefined) partitions.set(subtopology, [partition]);
    else known.push(partition);
  }
  return Array.from(partitions, ([subtopology, numbers]) => ({ subtopologyId: String(subtopology), partitions: numbers }));
}

export function taskIds(tasks: readonly StreamsTasks[]): TaskId[] {
  return tasks.flatMap(({ subtopologyId, partitions }) =>
    partitions.map((partition) => ({ subtopology: Number(subtopologyId), partition })),
  );
}

function inputTopics(plan: TopologyPlan, applicationId: string, subtopologies: ReadonlySet<number>): Map<number, string[]> {
  const inputs = new Map<number, string[]>();
  for (const id of subtopologies) {
    const part = plan.subtopologies.find((one) => one.id === id);
    if (part === undefined) {
      throw new FatalStreamsError(
        'TOPOLOGY_MISMATCH',
        `the broker assigned a task of sub-topology ${id}, which this topology does not have; the group ${applicationId} belongs to another program`,
      );
    }
    const repartition = part.repartitionSources.map(({ name }) => internalTopicName(applicationId, name));
    inputs.set(id, [...part.sourceTopics, ...repartition]);
  }
  return inputs;
}

async function partitionCounts(topics: readonly string[], admin: Admin): Promise<Map<string, number>> {
  if (topics.length === 0) return new Map();
  const counts = new Map<string, number>();
  for (const [topic, found] of await admin.describeTopics(topics)) {
    if (found === undefined) {
      throw new RetriableError('UNKNOWN_TOPIC', 'the broker has assigned a task that reads the topic, but does not know it yet', {
        topic,
      });
    }
    counts.set(topic, found.partitions);
  }
  return counts;
}
