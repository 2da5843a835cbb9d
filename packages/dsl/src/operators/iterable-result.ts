import { assertSynchronous } from './synchronous-result.ts';

/**
 * Throws unless a user's function returned something to iterate over.
 *
 * @throws ProcessingError `ASYNC_CALLBACK` for a promise
 * @throws TypeError otherwise; it goes to the processing handler like any error of the function
 */
export function assertIterable(result: unknown, operator: string): void {
  if (result != null && typeof (result as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function') return;
  assertSynchronous(result, operator);
  throw new TypeError(
    `${operator} must return an iterable (an empty one for no records), not ${result === null ? 'null' : typeof result}`,
  );
}
