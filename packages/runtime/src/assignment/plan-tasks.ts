import { assert, type Logger, type TaskId, type TopicPartition } from '@millrace/core';
import type { Admin, Offsets } from '@millrace/client';
import {
  matchesTopic,
  resolvePartitionCounts,
  type PartitionCounts,
  type SubtopologyPlan,
  type TopologyPlan,
} from '@millrace/topology';
import type { ResolvedSettings } from '../settings/settings.ts';
import { topicResolver } from '../task/topic-resolver.ts';
import { CHANGELOG_CONFIG, ensureInternalTopics, REPARTITION_CONFIG, type InternalTopic } from '../topics/internal-topics.ts';
import { refuseLostChangelogs } from '../topics/lost-changelogs.ts';
import { changelogTopicName, internalTopicName } from '../topics/topic-names.ts';

/** A task, with what it reads and where its state is backed up. */
export interface PlannedTask {
  readonly id: TaskId;
  readonly partitions: readonly TopicPartition[];
  /** Topics from which its stores are restored, source topics among them. Without any it has no state that a move would cost. */
  readonly changelogs: readonly TopicPartition[];
}

export interface PlanTasksOptions {
  readonly plan: TopologyPlan;
  readonly settings: ResolvedSettings;
  readonly admin: Admin;
  readonly offsets: Pick<Offsets, 'committed'>;
  readonly logger: Logger;
  /** Internal topics whose configuration has been found good before; added to. */
  readonly verifiedTopics: Set<string>;
}

/**
 * Binds the topology to the cluster as it is: looks up the partition counts of the inputs, creates the internal topics, and
 * says which tasks there are and what each reads.
 *
 * @throws TopologyError when a source topic is missing or inputs that belong together have different partition counts
 * @throws FatalStreamsError when an internal topic is not what it has to be, or a changelog has been lost
 */
export async function planTasks(options: PlanTasksOptions): Promise<PlannedTask[]> {
  const { plan, settings, admin, offsets, logger, verifiedTopics } = options;
  const external = await externalCounts(plan, admin);
  const counts = resolvePartitionCounts(plan, external);
  const tasks = plan.subtopologies.flatMap((subtopology) => tasksOf(subtopology, external, counts, settings.applicationId));
  await ensureInternalTopics(internalTopics(plan, counts, settings), {
    admin,
    replicationFactor: settings.replicationFactor,
    logger,
    verified: verifiedTopics,
    beforeCreate: (missing) =>
      refuseLostChangelogs(missing, {
        offsets,
        groupId: settings.applicationId,
        inputsOf: (id) => tasks.flatMap((task) => (task.id.subtopology === id ? task.partitions : [])),
        allowRebuild: settings.allowChangelogRebuild,
        logger,
      }),
  });
  return tasks;
}

/** The names on the broker of all that the topology reads, as the group protocol shows them. */
export function sourceTopicsOf(plan: TopologyPlan, applicationId: string): string[] {
  return plan.subtopologies.flatMap(({ sourceTopics, repartitionSources }) => [
    ...sourceTopics,
    ...repartitionSources.map(({ name }) => internalTopicName(applicationId, name)),
  ]);
}

export function subtopologyOf(plan: TopologyPlan, id: number): SubtopologyPlan {
  const found = plan.subtopologies.find((subtopology) => subtopology.id === id);
  assert(found !== undefined, `the topology has no sub-topology ${id}`);
  return found;
}

/** Says whether a topic on the broker is one that the sub-topology reads. */
export function topicMatcher(subtopology: SubtopologyPlan, applicationId: string): (topic: string) => boolean {
  const resolve = topicResolver(subtopology, applicationId);
  const names = new Set([...subtopology.sourceTopics, ...subtopology.repartitionSources.map(({ name }) => name)].map(resolve));
  return (topic) => names.has(topic) || subtopology.sourcePatterns.some((pattern) => matchesTopic(pattern, topic));
}

/** Partition counts of all topics that are there and that the topology reads, without internal ones. */
export async function externalCounts(plan: TopologyPlan, admin: Admin): Promise<Map<string, number>> {
  const topics = await matchingTopics(plan, admin);
  const found = await admin.describeTopics(topics);
  return new Map(
    [...found].flatMap(([name, description]) => (description === undefined ? [] : [[name, description.partitions] as const])),
  );
}

async function matchingTopics(plan: TopologyPlan, admin: Admin): Promise<string[]> {
  const fixed = plan.subtopologies.flatMap(({ sourceTopics }) => sourceTopics);
  const patterns = plan.subtopologies.flatMap(({ sourcePatterns }) => sourcePatterns);
  if (patterns.length === 0) return [...new Set(fixed)];
  const all = await admin.listTopics();
  const matched = all.map(({ name }) => name).filter((name) => patterns.some((pattern) => matchesTopic(pattern, name)));
  return [...new Set([...fixed, ...matched])];
}

function internalTopics(plan: TopologyPlan, counts: PartitionCounts, settings: ResolvedSettings): InternalTopic[] {
  const { applicationId, topicConfig } = settings;
  return plan.subtopologies.flatMap(({ id, repartitionSources, stores }) => [
    ...repartitionSources.map(({ name }) => ({
      name: internalTopicName(applicationId, name),
      partitions: counts.repartitionTopics.get(name) ?? 0,
      configs: { ...REPARTITION_CONFIG, ...topicConfig },
    })),
    ...stores
      .filter(({ builder }) => counts.changelogs.has(builder.name))
      .map(({ builder }) => ({
        name: changelogTopicName(applicationId, builder.name),
        partitions: counts.changelogs.get(builder.name) ?? 0,
        configs: { ...CHANGELOG_CONFIG, ...builder.changelogConfig, ...topicConfig, ...builder.changelogOverrides },
        store: builder.name,
        subtopology: id,
      })),
  ]);
}

function tasksOf(
  subtopology: SubtopologyPlan,
  external: ReadonlyMap<string, number>,
  counts: PartitionCounts,
  applicationId: string,
): PlannedTask[] {
  const matches = topicMatcher(subtopology, applicationId);
  const inputs = [
    ...[...external].filter(([topic]) => matches(topic)),
    ...subtopology.repartitionSources.map(
      ({ name }) => [internalTopicName(applicationId, name), counts.repartitionTopics.get(name) ?? 0] as const,
    ),
  ];
  const changelogs = changelogsOf(subtopology, applicationId);
  return Array.from({ length: counts.tasks.get(subtopology.id) ?? 0 }, (_, partition) => ({
    id: { subtopology: subtopology.id, partition },
    partitions: inputs.filter(([, partitions]) => partition < partitions).map(([topic]) => ({ topic, partition })),
    changelogs: changelogs.map((topic) => ({ topic, partition })),
  }));
}

function changelogsOf(subtopology: SubtopologyPlan, applicationId: string): string[] {
  const resolve = topicResolver(subtopology, applicationId);
  return subtopology.stores
    .filter(({ builder }) => builder.loggingEnabled)
    .map(({ builder, sourceTopicAsChangelog: source }) =>
      source === undefined ? changelogTopicName(applicationId, builder.name) : resolve(source),
    );
}
