import type { GroupView, ViewedTask } from './group-view.ts';
import { quotasOf, type Counts } from './quotas.ts';

/** The number of a member by task. */
export type Owners = Map<string, number>;

/**
 * Where every task is to run once its state is there: balanced over the members for each sub-topology, for tasks with and
 * without state apart, and for all; with as few moves from the present owners as that allows.
 *
 * By sub-topology, because they differ in load: a member that joins late gets its share of each.
 */
export function idealOwners(view: GroupView): Owners {
  const owners: Owners = new Map();
  const ofAll: Counts = view.members.map(() => 0);
  for (const stateful of [true, false]) {
    const ofClass: Counts = view.members.map(() => 0);
    for (const tasks of bySubtopology(view.tasks, stateful)) {
      spread(tasks, quotasOf(tasks, view, ofClass, ofAll), view, owners);
    }
  }
  return owners;
}

function bySubtopology(tasks: readonly ViewedTask[], stateful: boolean): ViewedTask[][] {
  const groups = new Map<number, ViewedTask[]>();
  for (const task of tasks) {
    if (task.stateful !== stateful) continue;
    const group = groups.get(task.id.subtopology);
    if (group === undefined) groups.set(task.id.subtopology, [task]);
    else group.push(task);
  }
  return [...groups.values()];
}

function spread(tasks: readonly ViewedTask[], quotas: Counts, view: GroupView, owners: Owners): void {
  const room = [...quotas];
  const homeless = [...withoutOwner(tasks, view), ...givenAway(tasks, room, view, owners)];
  const best = homeless.map((task) => ({ task, score: bestScore(task, room, view) }));
  // Who has something to gain from its place chooses first; the sort is stable, so the rest goes by id.
  best.sort((a, b) => b.score - a.score);
  for (const { task } of best) {
    const member = bestMember(task, room, view);
    take(room, member);
    owners.set(task.key, member);
  }
}

function withoutOwner(tasks: readonly ViewedTask[], view: GroupView): ViewedTask[] {
  return tasks.filter(({ key }) => view.ownerOf(key) < 0);
}

/**
 * Leaves owners what their quota allows and returns the rest: first those that another member could take over soonest, then
 * those with the highest partition, so that the same ones are chosen until they have moved.
 */
function givenAway(tasks: readonly ViewedTask[], room: Counts, view: GroupView, owners: Owners): ViewedTask[] {
  const byOwner = new Map<number, ViewedTask[]>();
  for (const task of tasks) {
    const owner = view.ownerOf(task.key);
    if (owner >= 0) byOwner.set(owner, [...(byOwner.get(owner) ?? []), task]);
  }
  const free = room.map((quota, member) => quota - (byOwner.get(member)?.length ?? 0));
  const given: ViewedTask[] = [];
  for (const [owner, owned] of byOwner) {
    const kept = keepOrder(owned, free, view).slice(0, room[owner]);
    for (const { key } of kept) owners.set(key, owner);
    room[owner] = (room[owner] ?? 0) - kept.length;
    given.push(...owned.filter(({ key }) => !owners.has(key)));
  }
  return given;
}

function keepOrder(owned: readonly ViewedTask[], free: Counts, view: GroupView): ViewedTask[] {
  return owned
    .map((task) => ({ task, score: bestScore(task, free, view) }))
    .sort((a, b) => a.score - b.score)
    .map(({ task }) => task);
}

function bestScore(task: ViewedTask, room: Counts, view: GroupView): number {
  let best = 0;
  for (let member = 0; member < room.length; member++) {
    if ((room[member] ?? 0) > 0) best = Math.max(best, view.suitability(task, member));
  }
  return best;
}

/** The member with room that suits best; among equals the one with the most room. */
function bestMember(task: ViewedTask, room: Counts, view: GroupView): number {
  let best = -1;
  let bestScore = -1;
  for (let member = 0; member < room.length; member++) {
    const left = room[member] ?? 0;
    if (left <= 0) continue;
    const score = view.suitability(task, member);
    if (score < bestScore || (score === bestScore && left <= (room[best] ?? 0))) continue;
    best = member;
    bestScore = score;
  }
  return best;
}

function take(room: Counts, member: number): void {
  room[member] = (room[member] ?? 0) - 1;
}
