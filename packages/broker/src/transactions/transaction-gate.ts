import { ErrorCode } from '@millrace/wire';
import type { ProduceGate, TransactionalAppend } from '../records/produce-gate.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** From which version of a request on it adds its partition by itself, and from which on it knows TRANSACTION_ABORTABLE. */
export interface GateVersions {
  readonly addsPartition: number;
  readonly knowsAbortable: number;
  /** What older versions are told instead of CONCURRENT_TRANSACTIONS: something that they repeat. */
  readonly retriableCode: number;
}

export const produceVersions: GateVersions = {
  addsPartition: 12,
  knowsAbortable: 11,
  retriableCode: ErrorCode.NOT_ENOUGH_REPLICAS,
};
export const offsetCommitVersions: GateVersions = {
  addsPartition: 5,
  knowsAbortable: 4,
  retriableCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
};

/**
 * Lets a transaction write its first batch to a partition only when the coordinator knows that it does: else the partition
 * would never get a marker, and nobody could read beyond (KIP-890).
 *
 * Source: Kafka `ReplicaManager.handleProduceAppend`, `AddPartitionsToTxnManager`.
 */
export class TransactionGate implements ProduceGate {
  readonly #coordinator: TransactionCoordinator;
  readonly #versions: GateVersions;

  constructor(coordinator: TransactionCoordinator, versions: GateVersions) {
    this.#coordinator = coordinator;
    this.#versions = versions;
  }

  admit(append: TransactionalAppend): void {
    const { transactionalId, producerId, producerEpoch, topic, partition, log, apiVersion } = append;
    if (transactionalId === undefined) throw new Refusal(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    if (log.producers.isOpen(producerId, producerEpoch)) return;
    const request = { transactionalId, producerId, producerEpoch };
    try {
      if (apiVersion >= this.#versions.addsPartition) this.#coordinator.addPartitions(request, [{ topic, partition }]);
      else this.#coordinator.verifyPartition(request, topic, partition);
    } catch (error) {
      throw this.#translated(refusalOf(error), apiVersion);
    }
  }

  #translated({ errorCode }: Refusal, apiVersion: number): Refusal {
    switch (errorCode) {
      case ErrorCode.PRODUCER_FENCED:
        return new Refusal(ErrorCode.INVALID_PRODUCER_EPOCH);
      case ErrorCode.CONCURRENT_TRANSACTIONS:
        return new Refusal(apiVersion >= this.#versions.addsPartition ? errorCode : this.#versions.retriableCode);
      case ErrorCode.INVALID_TXN_STATE:
        return new Refusal(apiVersion >= this.#versions.knowsAbortable ? ErrorCode.TRANSACTION_ABORTABLE : errorCode);
      default:
        return new Refusal(errorCode);
    }
  }
}
