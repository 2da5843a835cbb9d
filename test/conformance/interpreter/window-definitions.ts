import { JoinWindows, SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '@millrace/dsl';
import type { WindowJson } from '../vector.ts';

export function windowsOf(window: WindowJson): TimeWindows | UnlimitedWindows | SlidingWindows | SessionWindows {
  const { type, sizeMs = 0, advanceMs = 0, gapMs = 0, timeDifferenceMs = 0, startMs, graceMs } = window;
  if (type === 'unlimited') return startMs === undefined ? UnlimitedWindows.of() : UnlimitedWindows.of().startOn(startMs);
  if (type === 'sliding') {
    return graceMs === undefined
      ? SlidingWindows.ofTimeDifferenceWithNoGrace(timeDifferenceMs)
      : SlidingWindows.ofTimeDifferenceAndGrace(timeDifferenceMs, graceMs);
  }
  if (type === 'session') {
    return graceMs === undefined
      ? SessionWindows.ofInactivityGapWithNoGrace(gapMs)
      : SessionWindows.ofInactivityGapAndGrace(gapMs, graceMs);
  }
  const windows = graceMs === undefined ? TimeWindows.ofSizeWithNoGrace(sizeMs) : TimeWindows.ofSizeAndGrace(sizeMs, graceMs);
  return type === 'hopping' ? windows.advanceBy(advanceMs) : windows;
}

/** The bounds are set one after the other, the larger first: each step must give a window that is not empty. */
export function joinWindowsOf({ beforeMs = 0, afterMs = 0, graceMs }: WindowJson): JoinWindows {
  const widest = JoinWindows.ofTimeDifference(Math.max(Math.abs(beforeMs), Math.abs(afterMs)));
  const windows = widest.before(beforeMs).after(afterMs);
  return graceMs === undefined ? windows : windows.grace(graceMs);
}
