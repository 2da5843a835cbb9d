import type { TaskId, TopicPartition } from '@millrace/core';

/** A task that was assigned, with the partitions it reads. */
export interface AssignedTask {
  readonly id: TaskId;
  readonly partitions: readonly TopicPartition[];
}

/** What a worker is to hold. */
export interface TaskAssignment {
  /** Tasks that take records. */
  readonly active: readonly AssignedTask[];
  /** Tasks whose state is kept warm from the changelogs, in case that this worker gets them. */
  readonly standby: readonly TaskId[];
}
