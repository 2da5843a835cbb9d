import type { PartitionLog } from '../log/partition-log.ts';

/** A transactional batch that wants to get into a partition. */
export interface TransactionalAppend {
  /** As the request says; may be missing. */
  readonly transactionalId: string | undefined;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly log: PartitionLog;
  readonly apiVersion: number;
}

/** Decides whether a transaction may write to a partition. */
export interface ProduceGate {
  /** @throws Refusal when the partition is not part of the transaction, or the transaction is just ending */
  admit(append: TransactionalAppend): void;
}
