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
  /** Bytes of the records read so far, uncompressed. */
  readonly restoredBytes: number;
  /** Since restoring began. Unit ms. */
  readonly elapsedMs: number;
  /** Mean since restoring began; 0 as long as there is nothing to go by. */
  readonly recordsPerSecond: number;
  /**
   * How long the rest takes if it goes on like this. Unit ms; `undefined` as long as there is nothing to go by. Offsets of
   * records that compaction has removed are passed at once, so that it is mostly too long.
   */
  readonly remainingMs: number | undefined;
}

/**
 * Is told how restoring proceeds. Called between batches, never per record; what it throws is logged and ignored. The progress
 * belongs to the restorer and changes: copy what is to be kept.
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
