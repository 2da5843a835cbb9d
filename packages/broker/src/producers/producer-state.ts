/** A batch by its sequence numbers. */
export interface SequencedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly timestamp: number;
}

/** What one partition knows of one producer. */
export interface ProducerState {
  epoch: number;
  /** Its last batches in this epoch, oldest first. */
  batches: SequencedBatch[];
  /** Timestamp of its last batch or marker. */
  lastTimestamp: number;
  /** Last offset of its last data batch in this epoch; −1 when only a marker is known. */
  lastDataOffset: number;
}

/** The sequence number that follows: after 2 147 483 647 comes 0. */
export function nextSequence(sequence: number): number {
  return sequence === 0x7fffffff ? 0 : sequence + 1;
}
