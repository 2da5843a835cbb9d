import { addOffsetsToTxn, ErrorCode } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { internalTopics } from '../topics/topic-name.ts';
import { fencedCode } from './fenced-code.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** Versions from here on know PRODUCER_FENCED. */
const FENCED_VERSION = 2;

/** AddOffsetsToTxn: what is added is the partition of `__consumer_offsets` in which the group's offsets lie. */
export function addOffsetsToTxnHandler(coordinator: TransactionCoordinator): Handler {
  return answering(addOffsetsToTxn, (request, { apiVersion }) => {
    try {
      if (request.groupId === '') throw new Refusal(ErrorCode.INVALID_GROUP_ID);
      if (request.transactionalId === '') throw new Refusal(ErrorCode.INVALID_REQUEST);
      coordinator.addPartitions(request, [{ topic: internalTopics.offsets, partition: 0 }]);
      return { errorCode: ErrorCode.NONE };
    } catch (error) {
      return { errorCode: fencedCode(refusalOf(error), apiVersion, FENCED_VERSION) };
    }
  });
}
