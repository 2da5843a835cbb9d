import { RetriableError } from '@millrace/core';

/** True when the request may have been executed although there is no answer. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof RetriableError && (error.code === 'CONNECTION_LOST' || error.code === 'REQUEST_TIMEOUT');
}

/** True when the broker could not be reached or did not answer, as against an answer with an error in it. */
export function isConnectionError(error: unknown): boolean {
  return isOutcomeUnknown(error) || (error instanceof RetriableError && error.code === 'CONNECTION_FAILED');
}
