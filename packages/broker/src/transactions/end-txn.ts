import { endTxn, ErrorCode } from '@millrace/wire';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { fencedCode } from './fenced-code.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** Versions from here on know PRODUCER_FENCED. */
const FENCED_VERSION = 2;
/** Versions from here on end a transaction of version 2, whose next one has another epoch. */
const BUMPING_VERSION = 5;

/** EndTxn: answered when the outcome is decided; the markers follow. */
export function endTxnHandler(coordinator: TransactionCoordinator, versionMax: number): Handler {
  return answering(
    endTxn,
    (request, { apiVersion }) => {
      try {
        if (apiVersion >= BUMPING_VERSION) {
          return { errorCode: ErrorCode.NONE, ...coordinator.endAndBump(request, request.committed) };
        }
        coordinator.end(request, request.committed);
        return { errorCode: ErrorCode.NONE };
      } catch (error) {
        return { errorCode: fencedCode(refusalOf(error), apiVersion, FENCED_VERSION) };
      }
    },
    { max: versionMax },
  );
}
