import type { GroupView, ViewedTask } from './group-view.ts';
import type { Owners } from './ideal-owners.ts';

export interface StandbyRequest {
  readonly view: GroupView;
  /** Where tasks run for now. */
  readonly owners: Owners;
  /** Where they are to run. */
  readonly ideal: Owners;
  /** By task: the member that warms it up. */
  readonly warmUps: Owners;
  readonly replicas: number;
  readonly tags: readonly string[];
}

/** By member: the tasks whose state it keeps warm. */
export type Standbys = readonly (readonly ViewedTask[])[];

/**
 * Places the copies of each state: never on a process that has it already, if possible where all tags have values that no
 * other copy has, there where a copy is, and evenly.
 *
 * Fewer than asked for when there are fewer processes. Source: Kafka Streams `StandbyTaskAssignor`,
 * `ClientTagAwareStandbyTaskAssignor`.
 */
export function placeStandbys(request: StandbyRequest): Standbys {
  const { view } = request;
  const tasks = view.tasks.filter(({ stateful }) => stateful);
  const perTask = Math.min(request.replicas, view.processes - 1);
  const standbys = view.members.map(() => [] as ViewedTask[]);
  if (perTask <= 0) return standbys;
  const evenShare = Math.ceil((tasks.length * perTask) / view.members.length);
  const load = loadOf(request);
  for (const task of tasks) {
    const copies = new Copies(task, request);
    for (let copy = 0; copy < perTask; copy++) {
      const member = best(task, request, copies, standbys, evenShare, load);
      if (member === undefined) break;
      copies.add(member);
      standbys[member]?.push(task);
      load[member] = (load[member] ?? 0) + 1;
    }
  }
  return standbys;
}

/** Which processes have a task, and which values of tags they cover. */
class Copies {
  readonly #view: GroupView;
  readonly #tags: readonly string[];
  readonly #processes = new Set<number>();
  readonly #values: readonly Set<string | undefined>[];

  constructor({ key }: ViewedTask, { view, owners, warmUps, tags }: StandbyRequest) {
    this.#view = view;
    this.#tags = tags;
    this.#values = tags.map(() => new Set<string | undefined>());
    this.add(owners.get(key) as number);
    const warmUp = warmUps.get(key);
    // It has the state soon, but leaves with the move: its tags are not covered.
    if (warmUp !== undefined) this.#processes.add(view.processOf[warmUp] ?? 0);
  }

  add(member: number): void {
    this.#processes.add(this.#view.processOf[member] ?? 0);
    const tagsOfMember = this.#view.members[member]?.clientTags;
    for (const [index, tag] of this.#tags.entries()) this.#values[index]?.add(tagsOfMember?.get(tag));
  }

  has(member: number): boolean {
    return this.#processes.has(this.#view.processOf[member] ?? 0);
  }

  /** How many tags would get a value that they do not have yet. */
  newValues(member: number): number {
    const tagsOfMember = this.#view.members[member]?.clientTags;
    return this.#tags.filter((tag, index) => this.#values[index]?.has(tagsOfMember?.get(tag)) === false).length;
  }
}

function best(
  task: ViewedTask,
  { view, ideal }: StandbyRequest,
  copies: Copies,
  standbys: Standbys,
  evenShare: number,
  load: readonly number[],
): number | undefined {
  let found: number | undefined;
  let foundRank: readonly number[] = [];
  for (let member = 0; member < view.members.length; member++) {
    if (copies.has(member)) continue;
    const count = standbys[member]?.length ?? 0;
    const rank = [
      copies.newValues(member),
      count < evenShare ? stickiness(task, member, view) : 0,
      // Its state is to be there soon anyway.
      ideal.get(task.key) === member ? 1 : 0,
      -count,
      -(load[member] ?? 0),
    ];
    if (found !== undefined && compare(rank, foundRank) <= 0) continue;
    found = member;
    foundRank = rank;
  }
  return found;
}

function stickiness(task: ViewedTask, member: number, view: GroupView): number {
  if (view.members[member]?.standbyTasks.has(task.key) === true) return 2;
  return view.hasState(task.key, member) && view.isCaughtUp(task, member) ? 1 : 0;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function loadOf({ view, owners }: StandbyRequest): number[] {
  const load = view.members.map(() => 0);
  for (const member of owners.values()) load[member] = (load[member] ?? 0) + 1;
  return load;
}
