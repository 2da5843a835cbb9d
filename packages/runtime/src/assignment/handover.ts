import { formatTaskId, type TaskId } from '@millrace/core';
import type { KnownMember } from './group-members.ts';

/** What a member gets of the tasks that were placed on it. */
export interface Handover {
  /** Now. */
  readonly handed: readonly TaskId[];
  /** As soon as others have given them up. */
  readonly promised: readonly TaskId[];
}

/**
 * Leaves out tasks that another member still runs: it sees them missing in its assignment, commits, closes them and asks for the
 * next rebalance, which hands them out. So no task is ever run by two, and all others go on meanwhile.
 *
 * Source: KIP-429.
 */
export function handOver(memberId: string, tasks: readonly TaskId[], owners: ReadonlyMap<string, readonly string[]>): Handover {
  const isFree = (id: TaskId): boolean => owners.get(formatTaskId(id))?.every((owner) => owner === memberId) !== false;
  return { handed: tasks.filter(isFree), promised: tasks.filter((id) => !isFree(id)) };
}

/** Who says that it runs a task. Two do only when one of them is wrong: then both have to give it up. */
export function ownersOf(members: readonly KnownMember[]): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const { memberId, owned } of members) {
    for (const task of owned) owners.set(task, [...(owners.get(task) ?? []), memberId]);
  }
  return owners;
}
