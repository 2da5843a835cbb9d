import { FatalStreamsError } from '@millrace/core';
import { ErrorCode, listTransactions } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import { retrying } from '../retry/retrying.ts';
import { initialiseProducerId } from '../transaction/initialise-producer-id.ts';
import { askAllBrokers } from './all-brokers.ts';

/** States in which a transaction is open or about to be ended. */
const OPEN_STATES = ['Ongoing', 'PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'];

/** Administration of transactions. */
export class TransactionAdmin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Takes over the transactional id: its producer is fenced, its open transaction aborted. */
  async fence(transactionalId: string, transactionTimeoutMs: number): Promise<void> {
    const request = { transactionalId, transactionTimeoutMs, current: undefined };
    await retrying(this.#cluster.retryOptions(), () => initialiseProducerId(this.#cluster, request));
  }

  async listOpen(): Promise<string[]> {
    try {
      return await retrying(this.#cluster.retryOptions(), () => this.#listOnce());
    } catch (error) {
      if (error instanceof FatalStreamsError && error.code === 'UNSUPPORTED_VERSION') return [];
      throw error;
    }
  }

  async #listOnce(): Promise<string[]> {
    const responses = await askAllBrokers(this.#cluster, listTransactions, { stateFilters: OPEN_STATES });
    const open = new Set<string>();
    for (const { errorCode, transactionStates } of responses) {
      const forbidden =
        errorCode === ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED || errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
      if (errorCode !== 0 && !forbidden) throw brokerError(errorCode, { api: 'ListTransactions' });
      for (const { transactionalId } of transactionStates) open.add(transactionalId);
    }
    return [...open];
  }
}
