/** One changelog of a standby task. */
export interface StandbyProgress {
  readonly taskId: string;
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  /** Where updating began. */
  readonly startOffset: number;
  /** The next offset to apply. */
  readonly currentOffset: number;
  /** The end of the changelog as last heard of. */
  readonly endOffset: number;
}

/** Why a task is a standby no longer: this worker processes it now, or does not hold it any more. */
export type StandbySuspendReason = 'promoted' | 'migrated';

/**
 * Is told how the stores of standby tasks are kept up to date. Called between batches, never per record; what it throws is logged
 * and ignored.
 *
 * Source: Kafka Streams `StandbyUpdateListener` (KIP-988).
 */
export interface StandbyUpdateListener {
  onUpdateStart?(progress: StandbyProgress): void;
  onBatchLoaded?(progress: StandbyProgress, batchRecords: number): void;
  onUpdateSuspended?(progress: StandbyProgress, reason: StandbySuspendReason): void;
}
