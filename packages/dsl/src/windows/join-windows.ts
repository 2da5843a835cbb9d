import type { Duration } from '@millrace/core';
import { invalidWindow, signedWindowDurationMs, windowDurationMs } from './window-duration.ts';

/**
 * Which records of two streams are near enough to be joined: those with
 * `left.timestamp − before ≤ right.timestamp ≤ left.timestamp + after`.
 *
 * One of the two bounds may be negative: then the window lies wholly on the other side of the left record.
 *
 * Immutable. Source: Kafka Streams `JoinWindows`.
 *
 * @example JoinWindows.ofTimeDifference('10 minutes', { grace: '1 minute' })
 * @example JoinWindows.ofTimeDifferenceWithNoGrace('10 minutes').before(0) // the right record must not be older
 */
export class JoinWindows {
  readonly kind = 'join';
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    if (beforeMs + afterMs < 0) {
      throw invalidWindow(`join window of before ${beforeMs} ms and after ${afterMs} ms is empty: their sum must be at least 0`);
    }
    this.beforeMs = beforeMs;
    this.afterMs = afterMs;
    this.graceMs = graceMs;
    Object.freeze(this);
  }

  /**
   * Records at most `difference` apart, whichever comes first.
   *
   * @param options.grace how long after the end of its window a left or outer join waits for a partner before it gives the
   * result without one, in stream time; default 0
   * @throws TopologyError `INVALID_WINDOW`
   */
  static ofTimeDifference(difference: Duration, options: { readonly grace?: Duration } = {}): JoinWindows {
    const differenceMs = windowDurationMs(difference, 'join time difference');
    return new JoinWindows(differenceMs, differenceMs, windowDurationMs(options.grace ?? 0, 'join grace'));
  }

  static ofTimeDifferenceWithNoGrace(difference: Duration): JoinWindows {
    return JoinWindows.ofTimeDifference(difference);
  }

  static ofTimeDifferenceAndGrace(difference: Duration, grace: Duration): JoinWindows {
    return JoinWindows.ofTimeDifference(difference, { grace });
  }

  /** How much older than the left record the right one may be; negative: must at least be newer by that much. */
  before(difference: Duration): JoinWindows {
    return new JoinWindows(signedWindowDurationMs(difference, 'join window before'), this.afterMs, this.graceMs);
  }

  /** How much newer than the left record the right one may be; negative: must at least be older by that much. */
  after(difference: Duration): JoinWindows {
    return new JoinWindows(this.beforeMs, signedWindowDurationMs(difference, 'join window after'), this.graceMs);
  }

  grace(grace: Duration): JoinWindows {
    return new JoinWindows(this.beforeMs, this.afterMs, windowDurationMs(grace, 'join grace'));
  }

  /** Length of the window around a record. */
  get sizeMs(): number {
    return this.beforeMs + this.afterMs;
  }

  /** How long the records of either side are kept. */
  get retentionMs(): number {
    return this.beforeMs + this.afterMs + this.graceMs;
  }
}
