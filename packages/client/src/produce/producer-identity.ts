/** Who writes, in the eyes of the partition leaders: they drop what they have seen already and refuse what has a gap. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Batches without identity are neither de-duplicated nor kept in order by the broker. */
export const NO_IDENTITY: ProducerIdentity = Object.freeze({ producerId: -1, producerEpoch: -1 });

const SEQUENCES = 2 ** 31;

/**
 * The sequence number `count` records after `sequence`; wraps from 2^31 − 1 to 0.
 *
 * Source: Kafka `DefaultRecordBatch.incrementSequence`.
 */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}
