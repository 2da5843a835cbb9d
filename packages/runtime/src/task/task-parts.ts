import { formatTaskId, RecordContext } from '@millrace/core';
import { TaskState, type TaskDatabases } from '../task-state/task-state.ts';
import type { StreamTaskOptions } from './stream-task-options.ts';
import { TaskMetrics } from './task-metrics.ts';
import { topicResolver } from './topic-resolver.ts';

/** What a task has before its nodes are made. */
export interface TaskParts {
  readonly metrics: TaskMetrics;
  readonly state: TaskState;
  readonly recordContext: RecordContext;
  readonly resolveTopic: (name: string) => string;
}

/** What opening the local state takes: the task need not have inputs yet. */
export type TaskPartsOptions = Pick<
  StreamTaskOptions,
  'id' | 'subtopology' | 'settings' | 'components' | 'directory' | 'cleanCacheBytes'
>;

/**
 * Opens the local state, over databases that are open already if there are any.
 *
 * @throws RetriableError `STATE_LOCKED`, TaskCorruptedError: see {@link TaskState.open}
 */
export async function openTaskParts(options: TaskPartsOptions, databases?: TaskDatabases): Promise<TaskParts> {
  const { id, subtopology, settings, components, directory, cleanCacheBytes } = options;
  const taskId = formatTaskId(id);
  const { logger, engine } = components;
  const metrics = new TaskMetrics(components.metrics, taskId);
  const recordContext = new RecordContext();
  const resolveTopic = topicResolver(subtopology, settings.applicationId);
  const stateOptions = {
    taskId,
    partition: id.partition,
    applicationId: settings.applicationId,
    stores: subtopology.stores,
    nodes: subtopology.nodes,
    engine,
    directory,
    cleanCacheBytes,
    cachingAllowed: settings.cacheMaxBytes > 0,
    recordContext,
    onExpiredRecord: (store: string, timestamp: number) => {
      metrics.countDropped(store, 'expired');
      logger.warn('a row older than the retention was not stored', { taskId, store, timestamp });
    },
    logger,
    resolveTopic,
  };
  const state = await TaskState.open(stateOptions, databases);
  return { metrics, state, recordContext, resolveTopic };
}
