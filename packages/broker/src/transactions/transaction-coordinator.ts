import { type Clock, topicPartitionKey, type TopicPartition } from '@millrace/core';
import { ErrorCode } from '@millrace/wire';
import type { ProducerIds } from '../producers/producer-ids.ts';
import { Refusal } from '../refusal.ts';
import { initialise } from './initialise-producer.ts';
import type { MarkerWriter } from './marker-writer.ts';
import { EPOCH_MAX, hasPartition, isCompleting, type Transaction } from './transaction.ts';
import type { TransactionLog } from './transaction-log.ts';

/** A producer as it identifies itself. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Who wants to do something in which transaction. */
export interface TransactionRequest extends ProducerIdentity {
  readonly transactionalId: string;
}

export interface TransactionCoordinatorOptions {
  readonly log: TransactionLog;
  readonly producerIds: ProducerIds;
  readonly markers: MarkerWriter;
  readonly clock: Clock;
  readonly coordinatorEpoch: number;
}

/**
 * Begins, extends and ends transactions, and fences the producers that come too late.
 *
 * The end has two phases: the decision is saved and answered, then the markers go out ({@link MarkerWriter}), then the
 * transaction is complete. In between everything but a repetition of the same end hears CONCURRENT_TRANSACTIONS.
 *
 * Fencing is reported as PRODUCER_FENCED; handlers translate it for old versions.
 *
 * Source: Kafka `TransactionCoordinator`, `TransactionMetadata`.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;
  readonly #transactions: Map<string, Transaction>;

  /** What was decided before the broker was started is finished now. */
  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
    this.#transactions = options.log.replay();
    for (const transaction of this.#transactions.values()) if (isCompleting(transaction)) this.#sendMarkers(transaction);
  }

  get all(): IterableIterator<Transaction> {
    return this.#transactions.values();
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  /**
   * Gives a producer its id and epoch. A transaction that is open is aborted first; then the answer is to come again.
   *
   * @param current what the producer has and wants to go on from; `undefined` to take over whoever has it
   */
  initialise(transactionalId: string, timeoutMs: number, current: ProducerIdentity | undefined): ProducerIdentity {
    void this.#options.log.log;
    const transaction = this.#transactions.get(transactionalId) ?? this.#create(transactionalId, timeoutMs);
    if (isCompleting(transaction)) throw new Refusal(ErrorCode.CONCURRENT_TRANSACTIONS);
    const next = initialise(transaction, current, () => this.#options.producerIds.next());
    if (transaction.state === 'Ongoing') {
      this.#fenceAndAbort(transaction);
      throw new Refusal(ErrorCode.CONCURRENT_TRANSACTIONS);
    }
    Object.assign(transaction, next, { timeoutMs, state: 'Empty', startedMs: -1 });
    this.#options.log.save(transaction);
    return identityOf(transaction);
  }

  /** Makes partitions part of the transaction, which begins if it was not open. */
  addPartitions(request: TransactionRequest, partitions: readonly TopicPartition[]): void {
    const transaction = this.#ownedBy(request);
    if (isCompleting(transaction)) throw new Refusal(ErrorCode.CONCURRENT_TRANSACTIONS);
    if (partitions.every(({ topic, partition }) => hasPartition(transaction, topic, partition))) return;
    if (transaction.state !== 'Ongoing') {
      transaction.state = 'Ongoing';
      transaction.startedMs = this.#options.clock.nowMs();
    }
    for (const one of partitions) transaction.partitions.set(topicPartitionKey(one.topic, one.partition), one);
    this.#options.log.save(transaction);
  }

  /** @throws Refusal INVALID_TXN_STATE when the partition is not part of the open transaction */
  verifyPartition(request: TransactionRequest, topic: string, partition: number): void {
    const transaction = this.#ownedBy(request);
    if (isCompleting(transaction)) throw new Refusal(ErrorCode.CONCURRENT_TRANSACTIONS);
    if (!hasPartition(transaction, topic, partition)) throw new Refusal(ErrorCode.INVALID_TXN_STATE);
  }

  /** Ends the transaction as transactions of version 1 do: the epoch stays. */
  end(request: TransactionRequest, commit: boolean): void {
    const transaction = this.#ownedBy(request);
    if (transaction.state === 'Ongoing') this.#prepare(transaction, commit);
    else checkRepeated(transaction, commit);
  }

  /**
   * Ends the transaction as transactions of version 2 do: the epoch rises with every end, so that nothing of this transaction
   * can get into the next one (KIP-890).
   *
   * @returns id and epoch of the next transaction
   */
  endAndBump(request: TransactionRequest, commit: boolean): ProducerIdentity {
    const transaction = this.#known(request.transactionalId);
    if (isRepeatedEnd(transaction, request)) {
      checkRepeated(transaction, commit);
      return identityOf(transaction);
    }
    this.#ownedBy(request);
    if (isCompleting(transaction)) throw new Refusal(ErrorCode.CONCURRENT_TRANSACTIONS);
    // Nothing to commit is a mistake; aborting nothing just gets a new epoch.
    if (transaction.state !== 'Ongoing' && commit) throw new Refusal(ErrorCode.INVALID_TXN_STATE);
    return this.#bumpAndPrepare(transaction, commit);
  }

  /** Aborts the transactions that have been open for too long, and fences their producers. */
  abortTimedOut(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const transaction of this.#transactions.values()) {
      const isLate = transaction.state === 'Ongoing' && nowMs - transaction.startedMs > transaction.timeoutMs;
      if (isLate) this.#fenceAndAbort(transaction);
    }
  }

  /** Forgets the transactional ids that nobody has used for so long; those with an open transaction stay. */
  expire(expirationMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    for (const transaction of [...this.#transactions.values()]) {
      const isIdle = transaction.state !== 'Ongoing' && !isCompleting(transaction);
      if (!isIdle || nowMs - transaction.updatedMs < expirationMs) continue;
      this.#options.log.forget(transaction.transactionalId);
      this.#transactions.delete(transaction.transactionalId);
    }
  }

  #create(transactionalId: string, timeoutMs: number): Transaction {
    const transaction: Transaction = {
      transactionalId,
      producerId: this.#options.producerIds.next(),
      producerEpoch: -1,
      lastProducerEpoch: -1,
      timeoutMs,
      state: 'Empty',
      partitions: new Map(),
      startedMs: -1,
      updatedMs: this.#options.clock.nowMs(),
      nextProducerId: undefined,
      previousProducerId: undefined,
    };
    this.#transactions.set(transactionalId, transaction);
    return transaction;
  }

  #known(transactionalId: string): Transaction {
    void this.#options.log.log;
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) throw new Refusal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    return transaction;
  }

  /** @throws Refusal when the transactional id has another producer id, or a newer epoch */
  #ownedBy({ transactionalId, producerId, producerEpoch }: TransactionRequest): Transaction {
    const transaction = this.#known(transactionalId);
    if (transaction.producerId !== producerId) throw new Refusal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    if (transaction.producerEpoch !== producerEpoch) throw new Refusal(ErrorCode.PRODUCER_FENCED);
    return transaction;
  }

  #fenceAndAbort(transaction: Transaction): void {
    // The producer itself may go on from its old epoch, unless somebody else takes over meanwhile.
    transaction.lastProducerEpoch = transaction.producerEpoch;
    transaction.producerEpoch = Math.min(transaction.producerEpoch + 1, EPOCH_MAX + 1);
    this.#prepare(transaction, false);
  }

  #bumpAndPrepare(transaction: Transaction, commit: boolean): ProducerIdentity {
    transaction.lastProducerEpoch = transaction.producerEpoch;
    // The markers carry the new epoch; when there are no more, the one kept for fencing, and then a new id begins at 0.
    transaction.producerEpoch++;
    if (transaction.producerEpoch > EPOCH_MAX) transaction.nextProducerId = this.#options.producerIds.next();
    this.#prepare(transaction, commit);
    const { nextProducerId } = transaction;
    return nextProducerId === undefined ? identityOf(transaction) : { producerId: nextProducerId, producerEpoch: 0 };
  }

  #prepare(transaction: Transaction, commit: boolean): void {
    transaction.state = commit ? 'PrepareCommit' : 'PrepareAbort';
    this.#options.log.save(transaction);
    this.#sendMarkers(transaction);
  }

  #sendMarkers(transaction: Transaction): void {
    const { producerId, producerEpoch } = transaction;
    const commit = transaction.state === 'PrepareCommit';
    const marker = { commit, producerId, producerEpoch, coordinatorEpoch: this.#options.coordinatorEpoch };
    this.#options.markers.write(marker, [...transaction.partitions.values()], () => this.#complete(transaction, commit));
  }

  #complete(transaction: Transaction, commit: boolean): void {
    transaction.state = commit ? 'CompleteCommit' : 'CompleteAbort';
    transaction.partitions.clear();
    transaction.startedMs = -1;
    if (transaction.nextProducerId !== undefined) {
      transaction.previousProducerId = transaction.producerId;
      transaction.producerId = transaction.nextProducerId;
      transaction.producerEpoch = 0;
      transaction.nextProducerId = undefined;
    }
    this.#options.log.save(transaction);
  }
}

function identityOf({ producerId, producerEpoch }: Transaction): ProducerIdentity {
  return { producerId, producerEpoch };
}

/** Whether the EndTxn has been executed already and its answer was lost: it still has the epoch from before. */
function isRepeatedEnd(transaction: Transaction, { producerId, producerEpoch }: TransactionRequest): boolean {
  if (transaction.state === 'Ongoing' || transaction.state === 'Empty') return false;
  if (transaction.producerId === producerId) return transaction.producerEpoch === producerEpoch + 1;
  return transaction.previousProducerId === producerId && producerEpoch === EPOCH_MAX;
}

/** The same end once more is fine, as soon as it is complete; the other end, or one without a beginning, is not. */
function checkRepeated({ state }: Transaction, commit: boolean): void {
  if (state === (commit ? 'CompleteCommit' : 'CompleteAbort')) return;
  const isUnderWay = state === (commit ? 'PrepareCommit' : 'PrepareAbort');
  throw new Refusal(isUnderWay ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE);
}
