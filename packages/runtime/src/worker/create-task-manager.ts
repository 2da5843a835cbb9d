import { formatTaskId, type TaskId } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { TopologyPlan } from '@millrace/topology';
import { subtopologyOf } from '../assignment/plan-tasks.ts';
import type { Committer } from '../commit/committer.ts';
import type { StreamsComponents } from '../components.ts';
import { GLOBAL_CACHE_SHARE } from '../global/open-global-task.ts';
import { Restorer } from '../restore/restorer.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { openStandbyTask } from '../standby/open-standby-task.ts';
import { StandbyUpdater } from '../standby/standby-updater.ts';
import { discardOutdatedState } from '../state-directory/discard-outdated-state.ts';
import { StateCleaner } from '../state-directory/state-cleaner.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';
import { StreamTask } from '../task/stream-task.ts';
import type { TaskParts, TaskPartsOptions } from '../task/task-parts.ts';
import type { Input } from './input.ts';
import type { AssignedTask } from './task-assignment.ts';
import { TaskManager } from './task-manager.ts';

export interface CreateTaskManagerOptions {
  readonly plan: TopologyPlan;
  readonly settings: ResolvedSettings;
  readonly components: StreamsComponents;
  readonly directory: StateDirectory;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  readonly events: { readonly onRunning: () => void };
  readonly committer: Committer;
  readonly input: Input;
}

/** What holds the tasks of a worker, active and standby, with everything that it opens and restores them with. */
export function createTaskManager(options: CreateTaskManagerOptions): { manager: TaskManager; standbys: StandbyUpdater } {
  const { settings, components, directory, events, input } = options;
  const { client, clock, logger } = components;
  const restorer = new Restorer({
    client,
    clock,
    logger,
    listener: components.restoreListener ?? {},
    isolation: isolationOf(settings),
    policy: settings,
  });
  const standbys: StandbyUpdater = new StandbyUpdater({
    client,
    clock,
    logger,
    listener: components.standbyUpdateListener ?? {},
    groupId: settings.applicationId,
    isolation: isolationOf(settings),
    openTask: async (id, databases) => {
      if (databases === undefined) await discardOutdated(options, id);
      return openStandbyTask(statePartsOf(options, id, manager.tasks.size + standbys.taskIds.length), databases);
    },
    quarantine: (taskId) => components.engine.quarantine(directory.taskPath(taskId)),
  });
  const manager: TaskManager = new TaskManager({
    directory,
    cleaner: new StateCleaner({ directory, engine: components.engine, clock, logger, delayMs: settings.stateCleanupDelayMs }),
    engine: components.engine,
    input,
    restorer,
    standbys,
    clock,
    logger,
    onStateDiskFull: settings.onStateDiskFull,
    openTask: async (assigned, tasksOnWorker, parts) => {
      if (parts === undefined) await discardOutdated(options, assigned.id);
      return openTask(options, assigned, tasksOnWorker, parts);
    },
    onAllRunning: events.onRunning,
  });
  return { manager, standbys };
}

/** Which records of a transaction count: exactly once only those of committed ones. */
export function isolationOf({ guarantee }: ResolvedSettings): 'read_committed' | 'read_uncommitted' {
  return guarantee === 'exactly_once_v2' ? 'read_committed' : 'read_uncommitted';
}

function openTask(
  options: CreateTaskManagerOptions,
  assigned: AssignedTask,
  tasksOnWorker: number,
  parts: TaskParts | undefined,
): Promise<StreamTask> {
  const taskOptions = {
    ...statePartsOf(options, assigned.id, tasksOnWorker),
    inputPartitions: assigned.partitions,
    appender: options.committer.appender,
    progress: options.input.fetcher,
    globalStores: options.globalStores,
  };
  return StreamTask.open(taskOptions, parts);
}

function discardOutdated({ plan, settings, components, directory }: CreateTaskManagerOptions, id: TaskId): Promise<void> {
  const { engine, clock, logger } = components;
  const subtopology = subtopologyOf(plan, id.subtopology);
  return discardOutdatedState(formatTaskId(id), {
    directory,
    engine,
    clock,
    logger,
    subtopology,
    topicConfig: settings.topicConfig,
  });
}

/** What the state of a task is opened with, whether the task is active or a standby. */
function statePartsOf(options: CreateTaskManagerOptions, id: TaskId, tasksOnWorker: number): TaskPartsOptions {
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
