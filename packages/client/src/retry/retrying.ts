import { RetriableError, type Clock, type Logger, type Random } from '@millrace/core';
import { Backoff, MARKER_BACKOFF, RECONNECT_BACKOFF } from './backoff.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
  /** Gives up with the last error after this time. Unit ms; default: never. */
  readonly forAtMostMs?: number | undefined;
}

/** Codes that pass within milliseconds; everything else waits as for a connection. */
const SHORT_WAITS: ReadonlySet<string> = new Set(['CONCURRENT_TRANSACTIONS', 'UNSTABLE_OFFSET_COMMIT']);

/** A wait of this length is worth a word, and another one each time it has doubled. */
const FIRST_WARNING_MS = 5000;

/**
 * Repeats an operation while it fails with a RetriableError.
 *
 * @throws the first other error; the last RetriableError when the time is up; CancelledError when the signal aborts
 */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, random, logger, signal, forAtMostMs } = options;
  const startedAtMs = clock.monotonicMs();
  const connection = new Backoff(clock, random, RECONNECT_BACKOFF);
  const marker = new Backoff(clock, random, MARKER_BACKOFF);
  let warnAfterMs = FIRST_WARNING_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetriableError)) throw error;
      const waitedMs = clock.monotonicMs() - startedAtMs;
      if (forAtMostMs !== undefined && waitedMs >= forAtMostMs) throw error;
      if (waitedMs >= warnAfterMs) {
        warnAfterMs *= 2;
        logger.warn('still retrying', { forMs: Math.round(waitedMs), error: error.message });
      }
      const backoff = SHORT_WAITS.has(error.code) ? marker : connection;
      if (backoff === connection) logger.debug('retrying', { attempt: connection.attempt + 1, error: error.message });
      await backoff.wait(signal);
    }
  }
}
