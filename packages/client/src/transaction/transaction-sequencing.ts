import type { StreamsError } from '@millrace/core';
import type { PartitionQueue } from '../produce/partition-queue.ts';
import type { ProducerIdentity } from '../produce/producer-identity.ts';
import type { SequencePolicy } from '../produce/sequence-policy.ts';

export interface TransactionSequencingOptions {
  /** Tells the coordinator of partitions, before anything is sent to them. */
  readonly addPartitions: (identity: ProducerIdentity, queues: readonly PartitionQueue[]) => Promise<void>;
  /** Partitions may be sent to now. */
  readonly onAdmitted: () => void;
  /** A batch was given up, or partitions could not be added: the transaction cannot be committed any more. */
  readonly onFailed: (queue: PartitionQueue | undefined, error: StreamsError) => void;
}

/**
 * Sequencing of a transactional producer: the identity is that of the current transaction, and under transactions v1 the
 * coordinator has to know a partition before the first batch goes there. Nothing starts over within a transaction: a lost
 * sequence means that it is aborted.
 */
export class TransactionSequencing implements SequencePolicy {
  readonly #options: TransactionSequencingOptions;
  readonly #added = new Set<PartitionQueue>();
  readonly #toAdd = new Set<PartitionQueue>();
  #identity: ProducerIdentity | undefined;
  #addsPartitions = false;
  #adding = false;
  #touched = false;

  constructor(options: TransactionSequencingOptions) {
    this.#options = options;
  }

  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** True once something of the open transaction may have reached a broker. */
  get touched(): boolean {
    return this.#touched;
  }

  /** A transaction begins, or will, under this identity; undefined: nothing may be sent. */
  begin(identity: ProducerIdentity | undefined, addsPartitions: boolean): void {
    this.#identity = identity;
    this.#addsPartitions = addsPartitions;
    this.#touched = false;
    for (const queue of this.#added) queue.isInTransaction = false;
    this.#added.clear();
    this.#toAdd.clear();
  }

  identityFor(queue: PartitionQueue): ProducerIdentity | undefined {
    if (this.#identity === undefined) return undefined;
    this.#touched = true;
    if (!this.#addsPartitions || queue.isInTransaction) return this.#identity;
    this.#toAdd.add(queue);
    if (!this.#adding) void this.#addSoon();
    return undefined;
  }

  /** At the end of the turn, so that all partitions of a dispatch go into one request. */
  async #addSoon(): Promise<void> {
    this.#adding = true;
    await Promise.resolve();
    const queues = [...this.#toAdd];
    const identity = this.#identity;
    this.#toAdd.clear();
    // Neither success nor failure matters any more once the transaction was dropped in between.
    const isCurrent = (): boolean => identity !== undefined && this.#identity === identity;
    try {
      if (identity !== undefined) await this.#options.addPartitions(identity, queues);
      if (isCurrent()) this.#admit(queues);
    } catch (error) {
      if (isCurrent()) this.#options.onFailed(undefined, error as StreamsError);
    } finally {
      this.#adding = false;
    }
    this.#options.onAdmitted();
  }

  #admit(queues: readonly PartitionQueue[]): void {
    for (const queue of queues) {
      queue.isInTransaction = true;
      this.#added.add(queue);
    }
  }

  startsOver(): boolean {
    return false;
  }

  onGivenUp(queue: PartitionQueue, error: StreamsError): void {
    this.#options.onFailed(queue, error);
  }
}
