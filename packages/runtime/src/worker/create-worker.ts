import { formatTaskId, type TaskId } from '@millrace/core';
import type { KafkaClient } from '@millrace/client';
import type { StateStore } from '@millrace/state';
import { matchesTopic, type TopologyPlan } from '@millrace/topology';
import { subtopologyOf } from '../assignment/plan-tasks.ts';
import type { TopologyContract } from '../assignment/topology-contract.ts';
import { AtLeastOnceCommitter } from '../commit/at-least-once.ts';
import type { Committer } from '../commit/committer.ts';
import { ExactlyOnceCommitter } from '../commit/exactly-once.ts';
import { RefusedRecords } from '../commit/refused-records.ts';
import type { StreamsComponents } from '../components.ts';
import { defaultProductionErrorHandler } from '../errors/production-error-handler.ts';
import { GLOBAL_CACHE_SHARE } from '../global/open-global-task.ts';
import { Restorer } from '../restore/restorer.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { openStandbyTask } from '../standby/open-standby-task.ts';
import { StandbyUpdater } from '../standby/standby-updater.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import { StreamTask } from '../task/stream-task.ts';
import type { TaskParts, TaskPartsOptions } from '../task/task-parts.ts';
import { internalTopicName, transactionalIdOf } from '../topics/topic-names.ts';
import { CommitSchedule } from './commit-schedule.ts';
import { createMembership } from './create-membership.ts';
import { Input } from './input.ts';
import { RepartitionPurge } from './repartition-purge.ts';
import { StreamWorker, type WorkerEvents } from './stream-worker.ts';
import { WorkerMetrics } from './worker-metrics.ts';
import type { AssignedTask } from './task-assignment.ts';
import { TaskManager } from './task-manager.ts';

/** Uncommitted rows are kept in memory: beyond this a commit comes early even when record caching is off. */
const UNCOMMITTED_BYTES_MIN = 16 * 1024 * 1024;

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
  /** True for a worker that joins only to tell the others to stop. */
  readonly asksForShutdown: boolean;
}

/** Puts a worker together: the one place where its parts meet. */
export function createWorker(options: CreateWorkerOptions): StreamWorker {
  const { plan, settings, components, directory, events } = options;
  const { client, clock, logger } = components;
  const isolation = settings.guarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted';
  const transactionalId =
    settings.guarantee === 'exactly_once_v2' ? transactionalIdOf(settings.applicationId, directory.processId, 0) : '';
  const committer = createCommitter(client, settings, transactionalId);
  const input = new Input({
    client,
    groupId: settings.applicationId,
    logger,
    isolation,
    offsetReset: offsetResetOf(plan, settings),
  });
  const restorer = new Restorer({
    client,
    clock,
    logger,
    listener: components.restoreListener ?? {},
    isolation,
    policy: settings,
  });
  const standbys: StandbyUpdater = new StandbyUpdater({
    client,
    clock,
    logger,
    listener: components.standbyUpdateListener ?? {},
    groupId: settings.applicationId,
    isolation,
    openTask: (id, databases) =>
      openStandbyTask(statePartsOf(options, id, manager.tasks.size + standbys.taskIds.length), databases),
    quarantine: (taskId) => components.engine.quarantine(directory.taskPath(taskId)),
  });
  const manager: TaskManager = new TaskManager({
    directory,
    engine: components.engine,
    input,
    restorer,
    standbys,
    clock,
    logger,
    onStateDiskFull: settings.onStateDiskFull,
    openTask: (assigned, tasksOnWorker, parts) => openTask(options, { committer, input, assigned, tasksOnWorker }, parts),
    onAllRunning: events.onRunning,
  });
  const { member, membership } = createMembership({ ...options, transactionalId, manager, standbys });
  const repartitionTopics = new Set(
    plan.subtopologies.flatMap(({ repartitionSources }) =>
      repartitionSources.map(({ name }) => internalTopicName(settings.applicationId, name)),
    ),
  );
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
    schedule: new CommitSchedule(
      settings.commitIntervalMs,
      Math.max(settings.cacheMaxBytes, UNCOMMITTED_BYTES_MIN),
      clock.nowMs(),
    ),
    purge: new RepartitionPurge(
      {
        admin: client.admin,
        logger,
        intervalMs: settings.repartitionPurgeIntervalMs,
        isRepartitionTopic: (topic) => repartitionTopics.has(topic),
      },
      clock.nowMs(),
    ),
    pollMs: settings.pollMs,
    asyncDrainMs: settings.asyncDrainMs,
    isStaticMember: settings.groupInstanceId !== undefined,
    events,
  });
}

function createCommitter(client: KafkaClient, settings: ResolvedSettings, transactionalId: string): Committer {
  const { compression, lingerMs, transactionTimeoutMs } = settings;
  if (transactionalId === '') return new AtLeastOnceCommitter(client, client.createProducer({ compression, lingerMs }));
  return new ExactlyOnceCommitter(client.createTransactionalProducer({ transactionalId, transactionTimeoutMs, compression }));
}

interface OpenTask {
  readonly committer: Committer;
  readonly input: Input;
  readonly assigned: AssignedTask;
  readonly tasksOnWorker: number;
}

function openTask(
  options: CreateWorkerOptions,
  { committer, input, assigned, tasksOnWorker }: OpenTask,
  parts: TaskParts | undefined,
): Promise<StreamTask> {
  const taskOptions = {
    ...statePartsOf(options, assigned.id, tasksOnWorker),
    inputPartitions: assigned.partitions,
    appender: committer.appender,
    progress: input.fetcher,
    globalStores: options.globalStores,
  };
  return StreamTask.open(taskOptions, parts);
}

/** What the state of a task is opened with, whether the task is active or a standby. */
function statePartsOf(options: CreateWorkerOptions, id: TaskId, tasksOnWorker: number): TaskPartsOptions {
  const { plan, settings, components, directory, globalStores } = options;
  const cacheShare = globalStores.size === 0 ? 1 : 1 - GLOBAL_CACHE_SHARE;
  return {
    id,
    subtopology: subtopologyOf(plan, id.subtopology),
    settings,
    components,
    directory: directory.taskPath(formatTaskId(id)),
    // Shares are equal: a worker's tasks rarely differ enough to pay for moving memory between them.
    cleanCacheBytes: Math.floor((settings.stateCacheBytes * cacheShare) / tasksOnWorker),
  };
}

/** The source's own policy, else the application's; what is in a repartition topic must be read, whatever they say. */
function offsetResetOf(plan: TopologyPlan, settings: ResolvedSettings): (topic: string) => ResolvedSettings['offsetReset'] {
  const internal = new Set(
    plan.subtopologies.flatMap(({ repartitionSources }) =>
      repartitionSources.map(({ name }) => internalTopicName(settings.applicationId, name)),
    ),
  );
  const sources = plan.subtopologies.flatMap(({ nodes }) => nodes.filter((node) => node.kind === 'source'));
  const reads = (topics: readonly string[] | RegExp, topic: string): boolean =>
    topics instanceof RegExp ? matchesTopic(topics, topic) : topics.includes(topic);
  return (topic) => {
    if (internal.has(topic)) return 'earliest';
    return sources.find(({ topics }) => reads(topics, topic))?.offsetReset ?? settings.offsetReset;
  };
}
