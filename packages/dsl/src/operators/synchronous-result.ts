import { ProcessingError } from '@millrace/core';

/**
 * Throws when a user's function returned a promise: its record would be forwarded as the promise itself.
 *
 * Costs a `typeof` for primitives and one property read for objects.
 *
 * @param operator name of the operator as the user wrote it, for the message
 * @throws ProcessingError `ASYNC_CALLBACK`; not given to the processing handler, as every record would fail alike
 */
export function assertSynchronous(result: unknown, operator: string): void {
  if (typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function') {
    throw new ProcessingError(
      'ASYNC_CALLBACK',
      `${operator} returned a promise; records are processed synchronously: use mapAsync, mapValuesAsync, flatMapAsync, foreachAsync or processAsync`,
    );
  }
}
