import type { Duration } from '@millrace/core';
import { windowDurationMs } from './window-duration.ts';

/**
 * Windows of a fixed length that exist only where they differ in content: for each record with timestamp `t` one that ends
 * with it, `[t − difference, t]`, and, if it would hold another record, one that begins just behind it,
 * `[t + 1, t + 1 + difference]`. Both ends are inclusive: records of a key at most `difference` apart share a window.
 *
 * There are no negative starts: all records with `t < difference` share the window `[0, difference]`.
 *
 * Immutable. Source: Kafka Streams `SlidingWindows`.
 *
 * @example SlidingWindows.ofTimeDifferenceAndGrace('10 minutes', '1 minute')
 */
export class SlidingWindows {
  readonly kind = 'sliding';
  readonly timeDifferenceMs: number;
  readonly graceMs: number;

  private constructor(timeDifferenceMs: number, graceMs: number) {
    this.timeDifferenceMs = timeDifferenceMs;
    this.graceMs = graceMs;
    Object.freeze(this);
  }

  /**
   * @param difference how far apart the first and the last record of a window are at most; with 0 the first record fails
   * @param options.grace how long after a window's end late records are still accepted, in stream time; default 0
   * @throws TopologyError `INVALID_WINDOW`
   */
  static ofTimeDifference(difference: Duration, options: { readonly grace?: Duration } = {}): SlidingWindows {
    const differenceMs = windowDurationMs(difference, 'window time difference');
    return new SlidingWindows(differenceMs, windowDurationMs(options.grace ?? 0, 'window grace'));
  }

  /** Windows that accept no record once stream time is beyond their end. */
  static ofTimeDifferenceWithNoGrace(difference: Duration): SlidingWindows {
    return SlidingWindows.ofTimeDifference(difference);
  }

  /** Windows that accept records until stream time is beyond their end plus `grace`. */
  static ofTimeDifferenceAndGrace(difference: Duration, grace: Duration): SlidingWindows {
    return SlidingWindows.ofTimeDifference(difference, { grace });
  }

  /** The shortest retention with which a store holds every window that a record may look at. */
  get retentionMs(): number {
    return 2 * this.timeDifferenceMs + this.graceMs;
  }
}
