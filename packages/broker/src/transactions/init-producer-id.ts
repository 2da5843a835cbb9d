import { ErrorCode, initProducerId, type InitProducerIdRequest } from '@millrace/wire';
import type { ProducerIds } from '../producers/producer-ids.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { fencedCode } from './fenced-code.ts';
import type { ProducerIdentity, TransactionCoordinator } from './transaction-coordinator.ts';

/** Versions from here on know PRODUCER_FENCED. */
const FENCED_VERSION = 4;
const NO_PRODUCER = -1;

export interface InitProducerIdOptions {
  readonly coordinator: TransactionCoordinator;
  readonly producerIds: ProducerIds;
  readonly timeoutMaxMs: number;
}

/** InitProducerId: any producer gets an id; a transactional one also the word that it is now the only one. */
export function initProducerIdHandler({ coordinator, producerIds, timeoutMaxMs }: InitProducerIdOptions): Handler {
  return answering(initProducerId, (request, { apiVersion }) => {
    try {
      return { errorCode: ErrorCode.NONE, ...identityFor(request) };
    } catch (error) {
      return { errorCode: fencedCode(refusalOf(error), apiVersion, FENCED_VERSION), producerEpoch: NO_PRODUCER };
    }
  });

  function identityFor(request: InitProducerIdRequest): ProducerIdentity {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request;
    if (transactionalId === undefined) return { producerId: producerIds.next(), producerEpoch: 0 };
    if (transactionalId === '' || (producerId === NO_PRODUCER) !== (producerEpoch === NO_PRODUCER)) {
      throw new Refusal(ErrorCode.INVALID_REQUEST);
    }
    if (transactionTimeoutMs <= 0 || transactionTimeoutMs > timeoutMaxMs) {
      throw new Refusal(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    }
    const current = producerId === NO_PRODUCER ? undefined : { producerId, producerEpoch };
    return coordinator.initialise(transactionalId, transactionTimeoutMs, current);
  }
}
