import { ErrorCode } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import { EPOCH_MAX, type Transaction } from './transaction.ts';

interface ProducerEpochs {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastProducerEpoch: number;
}

/**
 * Decides which id and epoch a producer gets that initialises a transactional id.
 *
 * Without an identity of its own it takes over: one epoch further. With one it is either the present holder (one epoch
 * further), or repeats the request whose answer it has not seen (the same answer), or it was fenced.
 *
 * Source: Kafka `TransactionCoordinator.prepareInitProducerIdTransit`, `TransactionMetadata.prepareIncrementProducerEpoch`.
 */
export function initialise(
  transaction: Transaction,
  current: { readonly producerId: number; readonly producerEpoch: number } | undefined,
  newProducerId: () => number,
): ProducerEpochs {
  const { producerId, producerEpoch, lastProducerEpoch } = transaction;
  const isNew = producerEpoch === -1;
  if (current !== undefined && !isNew && !isOwnId(transaction, current)) throw new Refusal(ErrorCode.PRODUCER_FENCED);
  // The open transaction is aborted first, whoever asks; the epochs are looked at when the request comes again.
  if (transaction.state === 'Ongoing') return { producerId, producerEpoch, lastProducerEpoch };
  if (producerEpoch >= EPOCH_MAX && (current === undefined || current.producerEpoch === producerEpoch)) {
    transaction.previousProducerId = producerId;
    return { producerId: newProducerId(), producerEpoch: 0, lastProducerEpoch: current?.producerEpoch ?? -1 };
  }
  const next = { producerId, producerEpoch: producerEpoch + 1 };
  if (current === undefined) return { ...next, lastProducerEpoch: -1 };
  if (isNew || current.producerEpoch === producerEpoch) return { ...next, lastProducerEpoch: producerEpoch };
  if (current.producerEpoch === lastProducerEpoch) return { producerId, producerEpoch, lastProducerEpoch };
  throw new Refusal(ErrorCode.PRODUCER_FENCED);
}

function isOwnId(transaction: Transaction, current: { readonly producerId: number; readonly producerEpoch: number }): boolean {
  if (current.producerId === transaction.producerId) return true;
  return current.producerId === transaction.previousProducerId && current.producerEpoch >= EPOCH_MAX;
}
