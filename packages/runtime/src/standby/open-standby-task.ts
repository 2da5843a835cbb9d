import { openTaskParts, type TaskPartsOptions } from '../task/task-parts.ts';
import { topicResolver } from '../task/topic-resolver.ts';
import type { TaskDatabases } from '../task-state/task-state.ts';
import { StandbyTask } from './standby-task.ts';

/**
 * Opens the state of a standby task.
 *
 * @param databases what the active task has left open when this worker was to go on with it as a standby
 */
export async function openStandbyTask(options: TaskPartsOptions, databases?: TaskDatabases): Promise<StandbyTask> {
  const { id, subtopology, settings } = options;
  const parts = await openTaskParts(options, databases);
  const resolve = topicResolver(subtopology, settings.applicationId);
  // Inputs by pattern are not known here; each commit carries the same metadata for all inputs of a task.
  const names = [...subtopology.sourceTopics, ...subtopology.repartitionSources.map(({ name }) => name)];
  return new StandbyTask(
    id,
    parts,
    names.map((name) => ({ topic: resolve(name), partition: id.partition })),
  );
}
