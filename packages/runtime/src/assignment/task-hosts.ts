import { compareTaskIds, formatTaskId, type TaskId } from '@millrace/core';

/** A place at which the state of tasks can be asked for. */
export interface TaskHost {
  /** `host:port`, see the setting `applicationServer`. */
  readonly endpoint: string;
  readonly activeTasks: readonly TaskId[];
  /** Tasks of whose state it has a copy, or gets one. */
  readonly standbyTasks: readonly TaskId[];
}

/**
 * Makes one host of all members with the same endpoint: they are threads of one process. Ordered by endpoint, tasks by id, each
 * once: what is active on one thread is no standby of the process.
 */
export function mergeHosts(members: readonly TaskHost[]): TaskHost[] {
  const byEndpoint = new Map<string, TaskHost[]>();
  for (const member of members) {
    const known = byEndpoint.get(member.endpoint);
    if (known === undefined) byEndpoint.set(member.endpoint, [member]);
    else known.push(member);
  }
  return [...byEndpoint].sort(([a], [b]) => (a < b ? -1 : 1)).map(([endpoint, parts]) => merged(endpoint, parts));
}

function merged(endpoint: string, parts: readonly TaskHost[]): TaskHost {
  const active = byName(parts.flatMap(({ activeTasks }) => activeTasks));
  const standby = byName(parts.flatMap(({ standbyTasks }) => standbyTasks));
  for (const name of active.keys()) standby.delete(name);
  return { endpoint, activeTasks: sorted(active), standbyTasks: sorted(standby) };
}

function byName(ids: readonly TaskId[]): Map<string, TaskId> {
  return new Map(ids.map((id) => [formatTaskId(id), id]));
}

function sorted(ids: ReadonlyMap<string, TaskId>): TaskId[] {
  return [...ids.values()].sort(compareTaskIds);
}
