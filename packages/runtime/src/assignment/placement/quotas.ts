import type { GroupView, ViewedTask } from './group-view.ts';

/** How many tasks of each member, by its number. */
export type Counts = number[];

/**
 * How many tasks of one sub-topology each member is to run: the lower bound for all, and one more for as many as there is a
 * remainder.
 *
 * The remainder goes to those who have the fewest tasks of this class, then of all classes, so that neither differs by more
 * than one between members; among equals to those for whom it saves a move.
 *
 * @param ofClass tasks of the same class (with or without state) that were counted already; is brought up to date
 * @param ofAll the same for both classes
 */
export function quotasOf(tasks: readonly ViewedTask[], view: GroupView, ofClass: Counts, ofAll: Counts): Counts {
  const base = Math.floor(tasks.length / view.members.length);
  const remainder = tasks.length % view.members.length;
  const owned = ownedBy(tasks, view);
  const held = remainder === 0 ? [] : view.members.map((_, member) => heldBy(tasks, view, member));
  const count = (counts: readonly number[], member: number): number => counts[member] ?? 0;
  const saves = (member: number): number => (count(owned, member) > base ? 1 : 0);
  const ranked = view.members
    .map((_, member) => member)
    .sort(
      (a, b) =>
        count(ofClass, a) - count(ofClass, b) ||
        count(ofAll, a) - count(ofAll, b) ||
        saves(b) - saves(a) ||
        // Who runs more than others has its share of another sub-topology's remainder already.
        view.ownedTasks(a) - view.ownedTasks(b) ||
        count(held, b) - count(held, a) ||
        a - b,
    );
  const quotas: Counts = view.members.map(() => base);
  for (const member of ranked.slice(0, remainder)) quotas[member] = base + 1;
  quotas.forEach((quota, member) => {
    ofClass[member] = count(ofClass, member) + quota;
    ofAll[member] = count(ofAll, member) + quota;
  });
  return quotas;
}

function ownedBy(tasks: readonly ViewedTask[], view: GroupView): Counts {
  const owned: Counts = view.members.map(() => 0);
  for (const { key } of tasks) {
    const owner = view.ownerOf(key);
    if (owner >= 0) owned[owner] = (owned[owner] ?? 0) + 1;
  }
  return owned;
}

/** How many of the tasks the member has state of. */
function heldBy(tasks: readonly ViewedTask[], view: GroupView, member: number): number {
  let held = 0;
  for (const { key } of tasks) if (view.hasState(key, member)) held++;
  return held;
}
