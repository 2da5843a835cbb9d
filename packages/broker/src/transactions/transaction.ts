import { topicPartitionKey, type TopicPartition } from '@millrace/core';

/** The numbers that Kafka writes for the states; `Dead` and the transient `PrepareEpochFence` do not occur here. */
export const transactionStates = {
  Empty: 0,
  Ongoing: 1,
  PrepareCommit: 2,
  PrepareAbort: 3,
  CompleteCommit: 4,
  CompleteAbort: 5,
} as const;

export type TransactionState = keyof typeof transactionStates;

/**
 * What the coordinator knows of a transactional id.
 *
 *     Empty → Ongoing → PrepareCommit → CompleteCommit → Ongoing …
 *                     ↘ PrepareAbort  → CompleteAbort  ↗
 *
 * In Prepare* the outcome is decided and told, but the markers are still on their way.
 */
export interface Transaction {
  readonly transactionalId: string;
  producerId: number;
  /** −1 before the first producer was initialised. */
  producerEpoch: number;
  /** The epoch before, when the holder of the id has asked for a new one itself: its request may be repeated. */
  lastProducerEpoch: number;
  timeoutMs: number;
  state: TransactionState;
  readonly partitions: Map<string, TopicPartition>;
  /** When it became Ongoing, ms; −1 when it is not. */
  startedMs: number;
  updatedMs: number;
  /** What the next transaction gets once this one is complete, when the epochs of the producer id are used up. */
  nextProducerId: number | undefined;
  /** The producer id before the present one, whose last EndTxn may be repeated. */
  previousProducerId: number | undefined;
}

/** The last epoch but one: the last is kept for fencing. */
export const EPOCH_MAX = 0x7fff - 1;

export function hasPartition(transaction: Transaction, topic: string, partition: number): boolean {
  return transaction.state === 'Ongoing' && transaction.partitions.has(topicPartitionKey(topic, partition));
}

/** Whether the outcome is decided but not yet everywhere. */
export function isCompleting({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}
