/**
 * Waits with a signal that aborts with one of the given ones, or as soon as one of the promises resolves. Without
 * `AbortSignal.any`, of which each would stay registered with a signal that lives as long as the worker.
 */
export async function untilFirst(
  promises: readonly Promise<void>[],
  signals: readonly AbortSignal[],
  wait: (until: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const signal of signals) {
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  }
  for (const promise of promises) void promise.then(stop);
  try {
    await wait(controller.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', stop);
  }
}
