import { compareTaskIds, formatTaskId } from '@millrace/core';
import {
  LATEST_OFFSET,
  type Placement,
  type PlacementMember,
  type PlacementSettings,
  type TaskToPlace,
} from './placement-input.ts';
import { placeTasks } from './place-tasks.ts';

/** End of every changelog in a simulated group: far more than any acceptable lag. */
export const CHANGELOG_END = 1_000_000;

export const SETTINGS: PlacementSettings = {
  numStandbyReplicas: 0,
  acceptableRecoveryLag: 10_000,
  maxWarmupReplicas: 2,
  rackAwareAssignmentTags: [],
};

/** Tasks `0_0`, `0_1`, …, `1_0`, …; a positive count makes a sub-topology with state, a negative one without. */
export function tasksOf(...counts: readonly number[]): TaskToPlace[] {
  return counts.flatMap((count, subtopology) =>
    Array.from({ length: Math.abs(count) }, (_, partition) => ({
      id: { subtopology, partition },
      stateful: count > 0,
      changelogEnd: count > 0 ? CHANGELOG_END : 0,
    })),
  );
}

interface SimulatedMember {
  readonly memberId: string;
  readonly processId: string;
  readonly clientTags: ReadonlyMap<string, string>;
  active: Set<string>;
  standby: Set<string>;
}

/** A group whose members do as they are told: what they run or keep warm has caught up before the next round. */
export class SimulatedGroup {
  readonly tasks: readonly TaskToPlace[];
  readonly settings: PlacementSettings;
  readonly members = new Map<string, SimulatedMember>();
  /** What lies on the disks, by process; it outlives the members. */
  readonly #disks = new Map<string, Map<string, number>>();
  #generation = 0;

  constructor(tasks: readonly TaskToPlace[], settings: Partial<PlacementSettings> = {}) {
    this.tasks = tasks;
    this.settings = { ...SETTINGS, ...settings };
  }

  /** A member of a process that may have been here before. */
  add(processId: string, tags: { readonly [tag: string]: string } = {}): string {
    const memberId = `${processId}-${this.#generation++}`;
    const clientTags = new Map(Object.entries(tags));
    this.members.set(memberId, { memberId, processId, clientTags, active: new Set(), standby: new Set() });
    return memberId;
  }

  drop(memberId: string): void {
    const member = this.members.get(memberId);
    if (member === undefined) return;
    const disk = this.#diskOf(member.processId);
    for (const task of [...member.active, ...member.standby]) disk.set(task, CHANGELOG_END);
    this.members.delete(memberId);
  }

  view(): PlacementMember[] {
    return [...this.members.values()].map(({ memberId, processId, clientTags, active, standby }) => {
      const stateOffsets = new Map(this.#diskOf(processId));
      for (const task of standby) stateOffsets.set(task, CHANGELOG_END);
      for (const task of active) stateOffsets.set(task, LATEST_OFFSET);
      return {
        memberId,
        processId,
        clientTags,
        stateOffsets,
        activeTasks: active,
        standbyTasks: standby,
        promisedTasks: new Set(),
      };
    });
  }

  place(): Placement {
    return placeTasks(this.tasks, this.view(), this.settings);
  }

  /** One rebalance. Returns how many tasks changed hands, standby ones included. */
  round(): number {
    const { byMember } = this.place();
    let changes = 0;
    for (const [memberId, { active, standby, warmUps }] of byMember) {
      const member = this.members.get(memberId) as SimulatedMember;
      const nowActive = new Set(active.map(formatTaskId));
      const nowStandby = new Set([...standby, ...warmUps].map(formatTaskId));
      changes += differences(member.active, nowActive) + differences(member.standby, nowStandby);
      for (const task of [...member.active, ...member.standby]) this.#diskOf(member.processId).set(task, CHANGELOG_END);
      member.active = nowActive;
      member.standby = nowStandby;
    }
    return changes;
  }

  /** Rebalances until nothing changes any more. Returns the number of rounds that changed something. */
  settle(maxRounds: number): number {
    for (let rounds = 0; rounds <= maxRounds; rounds++) if (this.round() === 0) return rounds;
    return Number.POSITIVE_INFINITY;
  }

  /** Active tasks by member. */
  get active(): { [memberId: string]: string[] } {
    return Object.fromEntries([...this.members.values()].map(({ memberId, active }) => [memberId, [...active]]));
  }

  #diskOf(processId: string): Map<string, number> {
    const disk = this.#disks.get(processId) ?? new Map<string, number>();
    this.#disks.set(processId, disk);
    return disk;
  }
}

/** A placement as text by member: `active`, `standby` and `warmUps`. */
export function named({ byMember }: Placement): { [memberId: string]: { [kind: string]: string[] } } {
  return Object.fromEntries(
    [...byMember].map(([memberId, kinds]) => [
      memberId,
      Object.fromEntries(
        Object.entries(kinds).flatMap(([kind, ids]) =>
          ids.length === 0 ? [] : [[kind, [...ids].sort(compareTaskIds).map(formatTaskId)]],
        ),
      ),
    ]),
  );
}

function differences(before: ReadonlySet<string>, after: ReadonlySet<string>): number {
  return [...after].filter((task) => !before.has(task)).length + [...before].filter((task) => !after.has(task)).length;
}
