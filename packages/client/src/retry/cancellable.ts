import { CancelledError } from '@millrace/core';

/**
 * Waits for a promise, or no longer than the signal allows. What the promise stands for goes on; its result is dropped.
 *
 * @throws CancelledError when the signal aborts first
 */
export function cancellable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const cancel = (): void => reject(new CancelledError());
    if (signal.aborted) {
      // Nobody waits any more, so that a later rejection must not count as unhandled.
      promise.catch(() => undefined);
      return cancel();
    }
    signal.addEventListener('abort', cancel, { once: true });
    const leave = (): void => signal.removeEventListener('abort', cancel);
    promise.then(
      (value) => {
        leave();
        resolve(value);
      },
      (error: unknown) => {
        leave();
        reject(error as Error);
      },
    );
  });
}
