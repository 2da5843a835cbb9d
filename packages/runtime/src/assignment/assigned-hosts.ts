import { parseTaskId } from '@millrace/core';
import type { AssignmentData } from './assignment-data.ts';
import type { KnownMember } from './group-members.ts';
import { mergeHosts, type TaskHost } from './task-hosts.ts';

/** How tasks change hands in a rebalance. */
export interface TasksInTransit {
  /** Who says that it runs a task, see `ownersOf`. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** Tasks that are promised to another member than the one that runs them. */
  readonly awaited: ReadonlySet<string>;
}

/**
 * Says which of the members that can be asked has which tasks after a rebalance, also of those that have none.
 *
 * A task in transit belongs to who runs it: until it is closed there, nobody else can answer for it, and the member that it is promised
 * to may get it in the next rebalance only, which says so. A task that two members say they run is named nowhere: both close it.
 *
 * @param assigned members that share the topology of the group, each with what it is told
 */
export function assignedHosts(
  assigned: readonly (readonly [KnownMember, Pick<AssignmentData, 'activeTasks' | 'standbyTasks'>])[],
  { owners, awaited }: TasksInTransit,
): TaskHost[] {
  const members = assigned.filter(([{ data }]) => data.endpoint !== '');
  return mergeHosts(
    members.map(([{ data, owned }, { activeTasks, standbyTasks }]) => {
      const leaving = [...owned].filter((task) => awaited.has(task) && owners.get(task)?.length === 1);
      return { endpoint: data.endpoint, activeTasks: [...activeTasks, ...leaving.map(parseTaskId)], standbyTasks };
    }),
  );
}
