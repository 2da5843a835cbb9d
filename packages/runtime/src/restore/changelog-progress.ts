import type { RestoreProgress } from './restore-listener.ts';

/** How far one changelog partition has been restored. */
export class ChangelogProgress implements RestoreProgress {
  readonly taskId: string;
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
  currentOffset: number;
  restoredRecords = 0;

  constructor(
    where: { taskId: string; store: string; topic: string; partition: number },
    startOffset: number,
    endOffset: number,
  ) {
    this.taskId = where.taskId;
    this.store = where.store;
    this.topic = where.topic;
    this.partition = where.partition;
    this.startOffset = startOffset;
    this.endOffset = endOffset;
    this.currentOffset = startOffset;
  }

  /** The position has reached the end that the changelog had when restoring began. */
  get done(): boolean {
    return this.currentOffset >= this.endOffset;
  }
}
