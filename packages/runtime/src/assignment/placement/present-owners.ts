import type { GroupView, ViewedTask } from './group-view.ts';
import type { Owners } from './ideal-owners.ts';

/** A task that stays where its state is until its ideal owner has caught up. */
export interface PendingMove {
  readonly task: ViewedTask;
  readonly to: number;
}

export interface PresentOwners {
  readonly owners: Owners;
  readonly pending: readonly PendingMove[];
}

/**
 * Where every task runs for now: at its ideal owner if that one has caught up, or if nobody has; else where the state is.
 *
 * Source: Kafka Streams `HighAvailabilityTaskAssignor`, `TaskMovement`.
 */
export function presentOwners(view: GroupView, ideal: Owners): PresentOwners {
  const owners: Owners = new Map();
  const pending: PendingMove[] = [];
  const load = view.members.map(() => 0);
  for (const task of view.tasks) {
    const to = ideal.get(task.key) as number;
    const owner = view.isCaughtUp(task, to) ? to : (caughtUpMember(task, view, load) ?? to);
    if (owner !== to) pending.push({ task, to });
    load[owner] = (load[owner] ?? 0) + 1;
    owners.set(task.key, owner);
  }
  return { owners, pending };
}

/** The member that runs the task if it has caught up, else the one that suits best, then the least loaded. */
function caughtUpMember(task: ViewedTask, view: GroupView, load: readonly number[]): number | undefined {
  const owner = view.ownerOf(task.key);
  if (owner >= 0 && view.isCaughtUp(task, owner)) return owner;
  let best: number | undefined;
  for (let member = 0; member < view.members.length; member++) {
    if (!view.isCaughtUp(task, member)) continue;
    if (best === undefined || isBetter(task, member, best, view, load)) best = member;
  }
  return best;
}

function isBetter(task: ViewedTask, member: number, than: number, view: GroupView, load: readonly number[]): boolean {
  const difference = view.suitability(task, member) - view.suitability(task, than);
  return difference === 0 ? (load[member] ?? 0) < (load[than] ?? 0) : difference > 0;
}

/**
 * The moves whose state is warmed up now: as many as allowed, first those that have got furthest, so that what was begun is
 * finished.
 */
export function chooseWarmUps(pending: readonly PendingMove[], view: GroupView, maxWarmups: number): PendingMove[] {
  const begun = ({ task, to }: PendingMove): number => view.suitability(task, to);
  return [...pending].sort((a, b) => begun(b) - begun(a)).slice(0, maxWarmups);
}
