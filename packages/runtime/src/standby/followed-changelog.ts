import type { TaskChangelog } from '../task-state/task-state.ts';
import type { StandbyProgress } from './standby-update-listener.ts';

/** A changelog that is being followed for a standby task. */
export class FollowedChangelog implements StandbyProgress {
  readonly taskId: string;
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  currentOffset: number;
  endOffset: number;
  /**
   * Nothing from here on is applied: Infinity for a changelog proper, for an input what has been committed of it, as far as that is
   * known.
   */
  limit: number;

  constructor(taskId: string, changelog: TaskChangelog, startOffset: number, endOffset: number) {
    this.taskId = taskId;
    this.store = changelog.store;
    this.topic = changelog.topic;
    this.partition = changelog.partition;
    this.startOffset = startOffset;
    this.currentOffset = startOffset;
    this.endOffset = endOffset;
    this.limit = changelog.isInput ? startOffset : Infinity;
  }

  /** There is nothing to fetch until the limit moves. */
  get isAtLimit(): boolean {
    return this.currentOffset >= this.limit;
  }
}
