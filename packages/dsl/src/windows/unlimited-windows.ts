import type { AlignedWindows } from './aligned-windows.ts';
import { invalidWindow } from './window-duration.ts';

/**
 * One window that never ends: `[start, ∞)`. Records before its start are in no window.
 *
 * In results the end is `Infinity`. Immutable. Source: Kafka Streams `UnlimitedWindows`.
 *
 * @example UnlimitedWindows.of().startOn(Date.UTC(2030, 0, 1))
 */
export class UnlimitedWindows implements AlignedWindows {
  readonly kind = 'unlimited';
  readonly startMs: number;
  readonly sizeMs = Number.POSITIVE_INFINITY;
  readonly advanceMs = Number.POSITIVE_INFINITY;
  readonly graceMs = 0;

  private constructor(startMs: number) {
    this.startMs = startMs;
    Object.freeze(this);
  }

  /** The window that starts at the epoch. */
  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0);
  }

  /**
   * The window that starts at another time.
   *
   * @param startMs ms since the epoch, at least 0
   * @throws TopologyError `INVALID_WINDOW`
   */
  startOn(startMs: number): UnlimitedWindows {
    if (Number.isSafeInteger(startMs) && startMs >= 0) return new UnlimitedWindows(startMs);
    throw invalidWindow(`an unlimited window cannot start at ${startMs}: give milliseconds since the epoch, at least 0`);
  }

  firstStart(timestamp: number): number {
    return timestamp < this.startMs ? Number.POSITIVE_INFINITY : this.startMs;
  }

  /** Rows are kept for ever. */
  get retentionMs(): number {
    return Number.MAX_SAFE_INTEGER;
  }
}
