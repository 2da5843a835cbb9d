import { initProducerId } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import type { ProducerIdentity } from '../produce/producer-identity.ts';

export interface InitialiseRequest {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /**
   * Undefined takes over unconditionally and fences whoever holds the id. The identity one had last only succeeds while
   * nobody else took over: the epoch is bumped and one's own open transaction aborted (KIP-360).
   */
  readonly current: ProducerIdentity | undefined;
}

/**
 * InitProducerId for a transactional id, once. While an open transaction is being ended it fails with CONCURRENT_TRANSACTIONS,
 * which is retriable like everything that passes by itself.
 *
 * @throws RetriableError; TaskMigratedError when another incarnation holds the id; FatalStreamsError
 */
export async function initialiseProducerId(
  cluster: Cluster,
  request: InitialiseRequest,
  signal?: AbortSignal,
): Promise<ProducerIdentity> {
  const { transactionalId, transactionTimeoutMs, current } = request;
  const to = { kind: 'transaction', key: transactionalId, lane: 'data', signal } as const;
  const body = {
    transactionalId,
    transactionTimeoutMs,
    producerId: current?.producerId ?? -1,
    producerEpoch: current?.producerEpoch ?? -1,
  };
  const { errorCode, producerId, producerEpoch } = await cluster.sendToCoordinator(initProducerId, to, body);
  if (errorCode === 0) return { producerId, producerEpoch };
  cluster.noteCoordinatorError(errorCode, 'transaction', transactionalId);
  throw brokerError(errorCode, { api: 'InitProducerId', subject: `transactional id ${transactionalId}` });
}
