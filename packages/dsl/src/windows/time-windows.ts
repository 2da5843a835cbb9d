import type { Duration } from '@millrace/core';
import type { AlignedWindows } from './aligned-windows.ts';
import { invalidWindow, windowDurationMs } from './window-duration.ts';

/**
 * Windows of a fixed size: tumbling (each record in one window) or, with `advanceBy`, hopping (overlapping).
 *
 * A window is `[start, start + size)`, its end exclusive. Starts are multiples of the advance since the epoch; there are no
 * negative ones, so a record within the first `size` milliseconds of the epoch is in fewer hopping windows.
 *
 * Immutable. Source: Kafka Streams `TimeWindows`.
 *
 * @example TimeWindows.ofSizeWithNoGrace('1 minute')
 * @example TimeWindows.ofSizeAndGrace('1 hour', '5 minutes').advanceBy('10 minutes')
 */
export class TimeWindows implements AlignedWindows {
  readonly kind = 'time';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = sizeMs;
    this.advanceMs = advanceMs;
    this.graceMs = graceMs;
    Object.freeze(this);
  }

  /**
   * Tumbling windows.
   *
   * @param size more than 0
   * @param options.grace how long after a window's end late records are still accepted, in stream time; default 0
   * @throws TopologyError `INVALID_WINDOW`
   */
  static ofSize(size: Duration, options: { readonly grace?: Duration } = {}): TimeWindows {
    const sizeMs = windowDurationMs(size, 'window size');
    if (sizeMs <= 0) throw invalidWindow('window size must be more than 0 ms');
    return new TimeWindows(sizeMs, sizeMs, windowDurationMs(options.grace ?? 0, 'window grace'));
  }

  /** Tumbling windows that accept no record once stream time has reached their end. */
  static ofSizeWithNoGrace(size: Duration): TimeWindows {
    return TimeWindows.ofSize(size);
  }

  /** Tumbling windows that accept records until stream time has reached their end plus `grace`. */
  static ofSizeAndGrace(size: Duration, grace: Duration): TimeWindows {
    return TimeWindows.ofSize(size, { grace });
  }

  /**
   * Hopping windows: a new one starts every `advance`.
   *
   * @param advance more than 0, at most the size
   * @throws TopologyError `INVALID_WINDOW`
   */
  advanceBy(advance: Duration): TimeWindows {
    const advanceMs = windowDurationMs(advance, 'window advance');
    if (advanceMs <= 0 || advanceMs > this.sizeMs) {
      throw invalidWindow(
        `window advance must be more than 0 and at most the window size of ${this.sizeMs} ms, not ${advanceMs} ms`,
      );
    }
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs);
  }

  firstStart(timestamp: number): number {
    const advance = this.advanceMs;
    return Math.floor(Math.max(0, timestamp - this.sizeMs + advance) / advance) * advance;
  }

  /** The shortest retention with which a store holds every window that can still change. */
  get retentionMs(): number {
    return this.sizeMs + this.graceMs;
  }
}
