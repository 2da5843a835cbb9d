import { type Duration, durationMs, SettingsError, TopologyError } from '@millrace/core';

/**
 * Milliseconds of a duration that defines a window.
 *
 * @throws TopologyError `INVALID_WINDOW` when it is not a duration, or negative
 */
export function windowDurationMs(duration: Duration, what: string): number {
  try {
    return durationMs(duration, what);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw invalidWindow(error.message, error);
  }
}

/** Like {@link windowDurationMs}, but a negative number, or a text such as `'-5 seconds'`, is fine. */
export function signedWindowDurationMs(duration: Duration, what: string): number {
  if (typeof duration === 'number') return duration < 0 ? -windowDurationMs(-duration, what) : windowDurationMs(duration, what);
  const text = duration.trim();
  return text.startsWith('-') ? -windowDurationMs(text.slice(1) as Duration, what) : windowDurationMs(text as Duration, what);
}

export function invalidWindow(message: string, cause?: unknown): TopologyError {
  return new TopologyError('INVALID_WINDOW', message, { cause });
}
