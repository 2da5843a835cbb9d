import { compareTaskIds, formatTaskId } from '@millrace/core';
import { LATEST_OFFSET, type PlacementMember, type TaskToPlace } from './placement-input.ts';

/** A task under its printed id. */
export interface ViewedTask extends TaskToPlace {
  readonly key: string;
}

/**
 * Who holds what, indexed: members by number, in the order of their ids, so that the order of the input never matters.
 *
 * State belongs to the process, not to the member: a task may move between threads of one process without a restore.
 */
export class GroupView {
  readonly members: readonly PlacementMember[];
  readonly tasks: readonly ViewedTask[];
  /** By member: the number of its process. */
  readonly processOf: readonly number[];
  readonly processes: number;
  readonly #owners = new Map<string, number>();
  /** By process: the furthest state by task; Infinity for a running one. */
  readonly #progress: readonly Map<string, number>[];
  readonly #furthest = new Map<string, number>();
  readonly #acceptableLag: number;

  constructor(tasks: readonly TaskToPlace[], members: readonly PlacementMember[], acceptableLag: number) {
    this.members = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
    this.tasks = [...tasks].sort((a, b) => compareTaskIds(a.id, b.id)).map((task) => ({ ...task, key: formatTaskId(task.id) }));
    this.#acceptableLag = acceptableLag;
    const numbers = new Map<string, number>();
    for (const { processId } of this.members) if (!numbers.has(processId)) numbers.set(processId, numbers.size);
    this.processes = numbers.size;
    this.processOf = this.members.map(({ processId }) => numbers.get(processId) ?? 0);
    this.#progress = Array.from({ length: numbers.size }, () => new Map<string, number>());
    for (const [index, member] of this.members.entries()) this.#note(member, index);
  }

  /** The member that runs the task, or −1. */
  ownerOf(task: string): number {
    return this.#owners.get(task) ?? -1;
  }

  /** How many of the tasks the member runs. */
  ownedTasks(member: number): number {
    return this.members[member]?.activeTasks.size ?? 0;
  }

  /** How far the state of the task goes on the member's disk: 0 without any. */
  progress(task: string, member: number): number {
    return this.#progressOf(member).get(task) ?? 0;
  }

  /** True when the member has some state of the task. */
  hasState(task: string, member: number): boolean {
    return this.#progressOf(member).has(task);
  }

  /** True when the task was given up for this member. */
  isPromised(task: string, member: number): boolean {
    return this.ownerOf(task) < 0 && this.members[member]?.promisedTasks.has(task) === true;
  }

  /** True when the member could run the task at once, or nearly so. */
  isCaughtUp(task: ViewedTask, member: number): boolean {
    if (!task.stateful || this.isPromised(task.key, member)) return true;
    const progress = this.progress(task.key, member);
    if (task.changelogEnd !== undefined) return task.changelogEnd - progress <= this.#acceptableLag;
    // Without the end all that is known is who is furthest.
    return progress > 0 && progress === this.#furthest.get(task.key);
  }

  /** How well the member suits a task that it does not run: higher is better, 0 when nothing speaks for it. */
  suitability(task: ViewedTask, member: number): number {
    if (this.isPromised(task.key, member)) return 5;
    if (!task.stateful || !this.hasState(task.key, member)) return 0;
    const isStandby = this.members[member]?.standbyTasks.has(task.key) === true;
    if (this.isCaughtUp(task, member)) return isStandby ? 4 : 3;
    const { changelogEnd = Number.MAX_SAFE_INTEGER } = task;
    return (isStandby ? 1 : 0.5) + 0.5 * Math.min(1, this.progress(task.key, member) / Math.max(1, changelogEnd));
  }

  #progressOf(member: number): Map<string, number> {
    return this.#progress[this.processOf[member] ?? 0] as Map<string, number>;
  }

  #note(member: PlacementMember, index: number): void {
    for (const task of member.activeTasks) if (!this.#owners.has(task)) this.#owners.set(task, index);
    const progress = this.#progressOf(index);
    for (const [task, reported] of member.stateOffsets) {
      const offset = reported === LATEST_OFFSET ? Number.POSITIVE_INFINITY : Math.max(0, reported);
      progress.set(task, Math.max(offset, progress.get(task) ?? 0));
      this.#furthest.set(task, Math.max(offset, this.#furthest.get(task) ?? 0));
    }
  }
}
