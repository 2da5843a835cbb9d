import type { Duration } from '@millrace/core';
import { windowDurationMs } from './window-duration.ts';

/**
 * Windows made of activity: records of a key that are at most `gap` apart share a session, `[first, last]` with both ends
 * inclusive. A record between two sessions merges them.
 *
 * Immutable. Source: Kafka Streams `SessionWindows`.
 *
 * @example SessionWindows.ofInactivityGapAndGrace('30 minutes', '1 minute')
 */
export class SessionWindows {
  readonly kind = 'session';
  readonly gapMs: number;
  readonly graceMs: number;

  private constructor(gapMs: number, graceMs: number) {
    this.gapMs = gapMs;
    this.graceMs = graceMs;
    Object.freeze(this);
  }

  /**
   * @param gap at least 0; with 0 only equal timestamps share a session
   * @param options.grace how long late records are still accepted after a session has ended, in stream time; default 0
   * @throws TopologyError `INVALID_WINDOW`
   */
  static ofInactivityGap(gap: Duration, options: { readonly grace?: Duration } = {}): SessionWindows {
    return new SessionWindows(windowDurationMs(gap, 'session gap'), windowDurationMs(options.grace ?? 0, 'session grace'));
  }

  /** Sessions that are closed once stream time is more than `gap` beyond their end. */
  static ofInactivityGapWithNoGrace(gap: Duration): SessionWindows {
    return SessionWindows.ofInactivityGap(gap);
  }

  /** Sessions that are closed once stream time is more than `gap + grace` beyond their end. */
  static ofInactivityGapAndGrace(gap: Duration, grace: Duration): SessionWindows {
    return SessionWindows.ofInactivityGap(gap, { grace });
  }

  /** The shortest retention with which a store holds every session that can still change. */
  get retentionMs(): number {
    return this.gapMs + this.graceMs;
  }
}
