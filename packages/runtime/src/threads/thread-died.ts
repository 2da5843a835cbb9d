import { FatalStreamsError } from '@millrace/core';

/** Why a thread is gone that nobody has asked to end. */
export function threadDied(thread: number, error: unknown, exitCode: number): FatalStreamsError {
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new FatalStreamsError(
      'THREAD_OUT_OF_MEMORY',
      `thread ${thread} ran out of memory; give it a higher threadHeapMegabytes, or use smaller caches and batches`,
      { cause: error },
    );
  }
  if (error !== undefined) {
    return new FatalStreamsError(
      'THREAD_DIED',
      `thread ${thread} has ended by an error that nothing in it caught; catch what runs beside the topology`,
      { cause: error },
    );
  }
  return new FatalStreamsError(
    'THREAD_DIED',
    `thread ${thread} has ended by itself with code ${exitCode}: code of the application called process.exit`,
  );
}
