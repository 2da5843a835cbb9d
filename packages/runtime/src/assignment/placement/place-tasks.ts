import { assert } from '@millrace/core';
import { GroupView, type ViewedTask } from './group-view.ts';
import { idealOwners, type Owners } from './ideal-owners.ts';
import type { MemberPlacement, Placement, PlacementMember, PlacementSettings, TaskToPlace } from './placement-input.ts';
import { chooseWarmUps, presentOwners } from './present-owners.ts';
import { placeStandbys } from './standbys.ts';

/**
 * Spreads tasks over the members of a group.
 *
 * Every task gets an ideal owner: loads differ by at most one, present owners are kept where that allows. A task whose ideal
 * owner lacks more than the acceptable lag of its state stays with a member that does not, and the ideal owner warms the state
 * up; so no task waits for a restore while its state is somewhere. Copies go to other processes.
 *
 * Pure: the same input gives the same output, whatever its order. Source: Kafka Streams `HighAvailabilityTaskAssignor` (KIP-441);
 * unlike there the ideal owners depend on the present ones, so that fewer tasks move.
 */
export function placeTasks(
  tasks: readonly TaskToPlace[],
  members: readonly PlacementMember[],
  settings: PlacementSettings,
): Placement {
  assert(members.length > 0, 'an assignment needs a member');
  const view = new GroupView(tasks, members, settings.acceptableRecoveryLag);
  const ideal = idealOwners(view);
  const { owners, pending } = presentOwners(view, ideal);
  const moves = chooseWarmUps(pending, view, settings.maxWarmupReplicas);
  const warmUps: Owners = new Map(moves.map(({ task, to }) => [task.key, to]));
  const { numStandbyReplicas: replicas, rackAwareAssignmentTags: tags } = settings;
  const standbys = placeStandbys({ view, owners, ideal, warmUps, replicas, tags });
  const active = byMember(owners, view);
  const warming = byMember(warmUps, view);
  const placed = view.members.map(({ memberId }, index): [string, MemberPlacement] => [
    memberId,
    { active: idsOf(active[index]), standby: idsOf(standbys[index]), warmUps: idsOf(warming[index]) },
  ]);
  const endsKnown = view.tasks.every(({ stateful, changelogEnd }) => !stateful || changelogEnd !== undefined);
  return { byMember: new Map(placed), isSettled: pending.length === 0 && endsKnown };
}

function byMember(owners: Owners, view: GroupView): ViewedTask[][] {
  const lists = view.members.map(() => [] as ViewedTask[]);
  for (const task of view.tasks) {
    const owner = owners.get(task.key);
    if (owner !== undefined) lists[owner]?.push(task);
  }
  return lists;
}

function idsOf(tasks: readonly ViewedTask[] = []): TaskToPlace['id'][] {
  return tasks.map(({ id }) => id);
}
