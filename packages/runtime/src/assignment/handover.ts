import { formatTaskId, type TaskId } from '@millrace/core';
import type { KnownMember } from './group-members.ts';

/**
 * Leaves out tasks that another member still runs: it sees them missing in its assignment, commits, closes them and asks for the
 * next rebalance, which hands them out. So no task is ever run by two, and all others go on meanwhile.
 *
 * Source: KIP-429.
 */
export function withoutOwnedByOthers(
  memberId: string,
  tasks: readonly TaskId[],
  owners: ReadonlyMap<string, readonly string[]>,
): TaskId[] {
  return tasks.filter((id) => owners.get(formatTaskId(id))?.every((owner) => owner === memberId) !== false);
}

/** Who says that it runs a task. Two do only when one of them is wrong: then both have to give it up. */
export function ownersOf(members: readonly KnownMember[]): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const { memberId, owned } of members) {
    for (const task of owned) owners.set(task, [...(owners.get(task) ?? []), memberId]);
  }
  return owners;
}
