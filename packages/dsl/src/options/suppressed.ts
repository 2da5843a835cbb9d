import { type Duration, durationMs, TopologyError } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';

/** How much may wait. Absent limits are none. */
interface SuppressionLimits {
  /** How many keys, ≥ 0. */
  readonly maxRecords?: number;
  /** Roughly how many bytes of keys, values and headers, ≥ 0. With `spill`: how many of them stay in memory. */
  readonly maxBytes?: number;
}

export interface UntilWindowClosesOptions extends SuppressionLimits {
  /**
   * What happens beyond the limits: the worker stops with an error (default), or the values stay in the state store only, until
   * they are emitted. Final results are never emitted early.
   */
  readonly whenFull?: 'shutDown' | 'spill';
}

export interface UntilTimeLimitOptions extends SuppressionLimits {
  /**
   * What happens beyond the limits: those that have waited longest are emitted (default), the worker stops with an error, or the
   * values stay in the state store only, until they are emitted.
   */
  readonly whenFull?: 'emitEarly' | 'shutDown' | 'spill';
}

/**
 * When a suppressed table lets changes go; `K` are the keys that it can be used for.
 *
 * Source: Kafka Streams `Suppressed`.
 */
export interface Suppressed<in K> {
  /** Whether it is the results of windows that wait, until nothing can change them. */
  readonly finalResults: boolean;
  /** How far stream time must be beyond the time of a change; absent: by the grace of the windows above. */
  readonly waitMs: number | undefined;
  /** The time of a change. */
  readonly timeOf: (key: K, timestamp: number) => number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly whenFull: 'emitEarly' | 'shutDown' | 'spill';
}

/**
 * One result per window, when the window and its grace have passed. The table must come from windows.
 *
 * A result that is a deletion is not emitted at all.
 *
 * @throws TopologyError `INVALID_SUPPRESSION`
 * @example counts.suppress(untilWindowCloses()).toStream()
 * @example counts.suppress(untilWindowCloses({ maxBytes: 64 * 1024 * 1024, whenFull: 'spill' }))
 */
export function untilWindowCloses(options: UntilWindowClosesOptions = {}): Suppressed<WindowedKey<unknown>> {
  const { whenFull = 'shutDown' } = options;
  return {
    ...resolveLimits('untilWindowCloses', options, whenFull),
    finalResults: true,
    waitMs: undefined,
    timeOf: (key) => key.window.end,
  };
}

/**
 * At most one change per key and time span: the first one waits until stream time is `limit` beyond it, and what came for its
 * key in the meantime replaces it. Later changes do not prolong the wait.
 *
 * @throws TopologyError `INVALID_SUPPRESSION`
 * @example totals.suppress(untilTimeLimit('5 minutes', { maxRecords: 10_000 }))
 */
export function untilTimeLimit(limit: Duration, options: UntilTimeLimitOptions = {}): Suppressed<unknown> {
  const { whenFull = 'emitEarly' } = options;
  return {
    ...resolveLimits('untilTimeLimit', options, whenFull),
    finalResults: false,
    waitMs: durationMs(limit, 'limit of untilTimeLimit'),
    timeOf: (_key, timestamp) => timestamp,
  };
}

function resolveLimits<F extends Suppressed<never>['whenFull']>(what: string, limits: SuppressionLimits, whenFull: F) {
  const { maxRecords = Infinity, maxBytes = Infinity } = limits;
  for (const [name, limit] of Object.entries({ maxRecords, maxBytes })) {
    if (limit === Infinity || (Number.isInteger(limit) && limit >= 0)) continue;
    throw invalid(`${name} of ${what} is ${limit}; it must be an integer of at least 0`);
  }
  if (whenFull === 'spill' && (maxBytes === Infinity || maxRecords !== Infinity)) {
    throw invalid(`${what} with whenFull 'spill' says how much stays in memory: give maxBytes, and not maxRecords`);
  }
  return { maxRecords, maxBytes, whenFull };
}

function invalid(message: string): TopologyError {
  return new TopologyError('INVALID_SUPPRESSION', message);
}
