import type { StateStore } from '@millrace/state';
import { matchesTopic, type TopologyPlan } from '@millrace/topology';
import type { TopologyContract } from '../assignment/topology-contract.ts';
import { LostTopicWatch } from '../commit/lost-topic-watch.ts';
import { RefusedRecords } from '../commit/refused-records.ts';
import type { StreamsComponents } from '../components.ts';
import { PlacementProbe } from '../copartition/placement-probe.ts';
import { probedGroups } from '../copartition/probed-groups.ts';
import { defaultProductionErrorHandler } from '../errors/production-error-handler.ts';
import type { LocalStates } from '../query/local-states.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import { changelogTopicName, internalTopicName, transactionalIdOf } from '../topics/topic-names.ts';
import { CommitSchedule } from './commit-schedule.ts';
import { createCommitter } from './create-committer.ts';
import { createTaskManager, isolationOf } from './create-task-manager.ts';
import { createMembership } from './create-membership.ts';
import { Input } from './input.ts';
import { RepartitionPurge } from './repartition-purge.ts';
import { StreamWorker, type WorkerEvents } from './stream-worker.ts';
import { WorkerMetrics } from './worker-metrics.ts';

export interface CreateWorkerOptions {
  readonly plan: TopologyPlan;
  /** Of the same topology. */
  readonly contract: TopologyContract;
  readonly settings: ResolvedSettings;
  readonly components: StreamsComponents;
  readonly directory: StateDirectory;
  /** Loaded; kept up with their topics while the worker runs. */
  readonly globalStores: ReadonlyMap<string, StateStore>;
  readonly events: WorkerEvents;
  /** Is told where to find the state and its owners. */
  readonly localStates: LocalStates;
  /** Which of the process's workers it is: part of its transactional id. */
  readonly workerNumber: number;
  /** True when the worker, also as a static member, is not to come back. Asked when it stops. */
  readonly leavesGroup: () => boolean;
  /** True for a worker that joins only to tell the others to stop. */
  readonly asksForShutdown: boolean;
}

/** Puts a worker together: the one place where its parts meet. */
export function createWorker(options: CreateWorkerOptions): StreamWorker {
  const { plan, settings, components, directory, workerNumber, events } = options;
  const { client, clock, logger } = components;
  const transactionalId =
    settings.guarantee === 'exactly_once_v2' ? transactionalIdOf(settings.applicationId, directory.processId, workerNumber) : '';
  const committer = new LostTopicWatch(createCommitter({ client, logger, settings, directory, workerNumber, transactionalId }), {
    admin: client.admin,
    clock,
    logger,
    internalTopics: internalTopicsOf(plan, settings.applicationId),
    inputTopics: settings.onRecreatedInput === 'fail' ? plan.subtopologies.flatMap(({ sourceTopics }) => sourceTopics) : [],
  });
  const input = new Input({
    client,
    groupId: settings.applicationId,
    logger,
    isolation: isolationOf(settings),
    inputBufferMaxBytes: settings.inputBufferMaxBytes,
    offsetReset: offsetResetOf(plan, settings),
    onRecreatedInput: settings.onRecreatedInput,
    isInternal: isRepartitionTopic(plan, settings.applicationId),
    probe: new PlacementProbe({ groups: probedGroups(plan, settings.applicationId), admin: client.admin, logger }),
  });
  const { manager, standbys } = createTaskManager({ ...options, committer, input });
  const { member, membership } = createMembership({ ...options, transactionalId, manager, standbys });
  options.localStates.follow({ states: () => manager.localStates(), hosts: () => membership.hosts });
  return new StreamWorker({
    clock,
    logger,
    member,
    membership,
    committer,
    refused: new RefusedRecords({
      appender: committer.appender,
      handler: components.onProductionError ?? defaultProductionErrorHandler(logger),
      logger,
      isAtomic: transactionalId !== '',
    }),
    input,
    manager,
    metrics: new WorkerMetrics(components.metrics),
    schedule: new CommitSchedule(settings.commitIntervalMs, settings.uncommittedMaxBytes, clock.nowMs()),
    purge: createPurge(options),
    pollMs: settings.pollMs,
    asyncDrainMs: settings.asyncDrainMs,
    staysMember: () => settings.groupInstanceId !== undefined && !options.leavesGroup(),
    events,
  });
}

/** Names on the broker of the topics that the application keeps for itself. */
function internalTopicsOf(plan: TopologyPlan, applicationId: string): string[] {
  return plan.subtopologies.flatMap(({ repartitionSources, stores }) => [
    ...repartitionSources.map(({ name }) => internalTopicName(applicationId, name)),
    ...stores
      .filter(({ builder, sourceTopicAsChangelog }) => builder.loggingEnabled && sourceTopicAsChangelog === undefined)
      .map(({ builder }) => changelogTopicName(applicationId, builder.name)),
  ]);
}

function isRepartitionTopic(plan: TopologyPlan, applicationId: string): (topic: string) => boolean {
  const names = new Set(
    plan.subtopologies.flatMap(({ repartitionSources }) =>
      repartitionSources.map(({ name }) => internalTopicName(applicationId, name)),
    ),
  );
  return (topic) => names.has(topic);
}

function createPurge({ plan, settings, components }: CreateWorkerOptions): RepartitionPurge {
  const options = {
    admin: components.client.admin,
    logger: components.logger,
    intervalMs: settings.repartitionPurgeIntervalMs,
    isRepartitionTopic: isRepartitionTopic(plan, settings.applicationId),
  };
  return new RepartitionPurge(options, components.clock.nowMs());
}

/** The source's own policy, else the application's; what is in a repartition topic must be read, whatever they say. */
function offsetResetOf(plan: TopologyPlan, settings: ResolvedSettings): (topic: string) => ResolvedSettings['offsetReset'] {
  const isInternal = isRepartitionTopic(plan, settings.applicationId);
  const sources = plan.subtopologies.flatMap(({ nodes }) => nodes.filter((node) => node.kind === 'source'));
  const reads = (topics: readonly string[] | RegExp, topic: string): boolean =>
    topics instanceof RegExp ? matchesTopic(topics, topic) : topics.includes(topic);
  return (topic) => {
    if (isInternal(topic)) return 'earliest';
    return sources.find(({ topics }) => reads(topics, topic))?.offsetReset ?? settings.offsetReset;
  };
}
