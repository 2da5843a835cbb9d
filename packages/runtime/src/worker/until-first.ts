/**
 * Waits with a signal that aborts with the given one, or as soon as one of the promises resolves. Without `AbortSignal.any`, of
 * which each would stay registered with a signal that lives as long as the worker.
 */
export async function untilFirst(
  promises: readonly Promise<void>[],
  signal: AbortSignal,
  wait: (until: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  for (const promise of promises) void promise.then(stop);
  try {
    await wait(controller.signal);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
