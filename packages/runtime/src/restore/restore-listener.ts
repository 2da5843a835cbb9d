/** One store of one task that is being restored. */
export interface RestoreProgress {
  readonly taskId: string;
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  /** Where restoring began, where it is, and where it will end. */
  readonly startOffset: number;
  readonly currentOffset: number;
  readonly endOffset: number;
  /** Records applied so far. */
  readonly restoredRecords: number;
}

/**
 * Is told how restoring proceeds. Called between batches, never per record; what it throws is logged and ignored.
 *
 * Source: Kafka Streams `StateRestoreListener`.
 */
export interface RestoreListener {
  onRestoreStart?(progress: RestoreProgress): void;
  onBatchRestored?(progress: RestoreProgress, batchRecords: number): void;
  onRestoreEnd?(progress: RestoreProgress): void;
  /** The task moved away before it was restored. */
  onRestoreSuspended?(progress: RestoreProgress): void;
}
