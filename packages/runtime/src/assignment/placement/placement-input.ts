import type { TaskId } from '@millrace/core';

/** A running task reports this instead of an offset: its state is as new as can be. Kafka: `Task.LATEST_OFFSET`. */
export const LATEST_OFFSET = -2;

/** A task to be placed. */
export interface TaskToPlace {
  readonly id: TaskId;
  /** It has stores with changelogs: to move it costs a restore. */
  readonly stateful: boolean;
  /** Sum of the end offsets of its changelogs; `undefined` when they could not be looked up. Irrelevant without state. */
  readonly changelogEnd: number | undefined;
}

/** A member of the group as far as placement cares. Several members may be threads of one process. */
export interface PlacementMember {
  readonly memberId: string;
  /** Members of one process share the state on its disk. */
  readonly processId: string;
  /** Tasks that it runs, see `formatTaskId`. */
  readonly activeTasks: ReadonlySet<string>;
  /** Tasks whose state it keeps warm. */
  readonly standbyTasks: ReadonlySet<string>;
  /** Sum of the changelog offsets of the state that it has, by task; `LATEST_OFFSET` for a task that is running. */
  readonly stateOffsets: ReadonlyMap<string, number>;
  /** Tasks that it was to get in the rebalance before this one, once others had given them up. */
  readonly promisedTasks: ReadonlySet<string>;
  /** Where it runs, in words of the user's: `zone` → `eu-1a`. */
  readonly clientTags: ReadonlyMap<string, string>;
}

/** What the user says about placement. */
export interface PlacementSettings {
  /** Copies of each state besides the active one. Kafka: `num.standby.replicas`. */
  readonly numStandbyReplicas: number;
  /** A state that lacks no more than this many records counts as caught up. Kafka: `acceptable.recovery.lag`. */
  readonly acceptableRecoveryLag: number;
  /** At most so many states in the whole group are warmed up before their tasks move. Kafka: `max.warmup.replicas`. */
  readonly maxWarmupReplicas: number;
  /** Copies are spread over different values of these tags. Kafka: `rack.aware.assignment.tags`. */
  readonly rackAwareAssignmentTags: readonly string[];
}

/** What a member is to hold. */
export interface MemberPlacement {
  readonly active: readonly TaskId[];
  readonly standby: readonly TaskId[];
  /** States that it warms up because their tasks are to move to it. */
  readonly warmUps: readonly TaskId[];
}

export interface Placement {
  readonly byMember: ReadonlyMap<string, MemberPlacement>;
  /** False while a task is not where it is to stay: the group should rebalance again when states have caught up. */
  readonly isSettled: boolean;
}
