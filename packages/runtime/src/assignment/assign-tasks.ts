import { assert, compareTaskIds, formatTaskId, type TaskId } from '@millrace/core';

/** A task to be placed. */
export interface TaskToAssign {
  readonly id: TaskId;
  readonly stateful: boolean;
}

/** A member as far as placement cares. */
export interface AssignmentClient {
  readonly memberId: string;
  readonly activeTasks: ReadonlySet<string>;
  /** Sum of changelog offsets of the state on its disk, by task. */
  readonly stateOffsets: ReadonlyMap<string, number>;
}

/**
 * Spreads tasks over members: every task once, loads differ by at most one, stateful and stateless tasks balanced apart, and
 * as few moves as that allows.
 *
 * A task goes, in this order of preference, to the member that runs it, to the one whose disk holds the most of its state, to
 * the least loaded one. Pure: the same input gives the same output, whatever the order of the members.
 */
export function assignTasks(tasks: readonly TaskToAssign[], clients: readonly AssignmentClient[]): Map<string, TaskId[]> {
  assert(clients.length > 0, 'an assignment needs a member');
  const members = [...clients].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const load = new Map(members.map((member) => [member.memberId, [] as TaskId[]]));
  const ordered = [...tasks].sort((a, b) => compareTaskIds(a.id, b.id));
  place(
    ordered.filter((task) => task.stateful),
    members,
    load,
  );
  place(
    ordered.filter((task) => !task.stateful),
    members,
    load,
  );
  for (const ids of load.values()) ids.sort(compareTaskIds);
  return load;
}

/** Places one class of tasks on top of what is placed already. */
function place(tasks: readonly TaskToAssign[], members: readonly AssignmentClient[], load: Map<string, TaskId[]>): void {
  const placedBefore = new Map(members.map((member) => [member.memberId, loadOf(member, load)]));
  const quota = quotas(tasks, members, load);
  const taken = (member: AssignmentClient): number => loadOf(member, load) - (placedBefore.get(member.memberId) ?? 0);
  const hasRoom = (member: AssignmentClient): boolean => taken(member) < (quota.get(member.memberId) ?? 0);

  const homeless = tasks.filter((task) => {
    const owner = preferredOwner(formatTaskId(task.id), members, hasRoom);
    if (owner === undefined) return true;
    load.get(owner.memberId)?.push(task.id);
    return false;
  });
  for (const task of homeless) {
    const target = members.filter(hasRoom).reduce((best, member) => (loadOf(member, load) < loadOf(best, load) ? member : best));
    load.get(target.memberId)?.push(task.id);
  }
}

/**
 * How many of the tasks each member may take: the lower bound for all, and one more for as many as there is a remainder,
 * first for those with the lower total, then for those that already own more of these tasks.
 */
function quotas(
  tasks: readonly TaskToAssign[],
  members: readonly AssignmentClient[],
  load: Map<string, TaskId[]>,
): Map<string, number> {
  const base = Math.floor(tasks.length / members.length);
  const extra = tasks.length % members.length;
  const owned = new Map(
    members.map((member) => [member, tasks.filter(({ id }) => member.activeTasks.has(formatTaskId(id))).length]),
  );
  const ranked = [...members].sort(
    (a, b) =>
      loadOf(a, load) - loadOf(b, load) || (owned.get(b) ?? 0) - (owned.get(a) ?? 0) || (a.memberId < b.memberId ? -1 : 1),
  );
  return new Map(ranked.map((member, index) => [member.memberId, base + (index < extra ? 1 : 0)]));
}

function preferredOwner(
  task: string,
  members: readonly AssignmentClient[],
  hasRoom: (member: AssignmentClient) => boolean,
): AssignmentClient | undefined {
  const owner = members.find((member) => member.activeTasks.has(task) && hasRoom(member));
  if (owner !== undefined) return owner;
  let best: AssignmentClient | undefined;
  for (const member of members) {
    const offsets = member.stateOffsets.get(task);
    if (offsets === undefined || !hasRoom(member)) continue;
    if (best === undefined || offsets > (best.stateOffsets.get(task) ?? -1)) best = member;
  }
  return best;
}

function loadOf(member: AssignmentClient, load: ReadonlyMap<string, TaskId[]>): number {
  return load.get(member.memberId)?.length ?? 0;
}
