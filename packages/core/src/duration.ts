import { SettingsError } from './errors.ts';

const UNITS = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
} as const;

/**
 * A span of time: a number of milliseconds, or a text such as `'10 minutes'`, `'1 h'`, `'250 ms'`.
 */
export type Duration = number | `${number} ${keyof typeof UNITS}` | `${number}${keyof typeof UNITS}`;

/**
 * Milliseconds of a duration.
 *
 * @param what names the option in the error, for example `grace`
 * @throws SettingsError when the text is not a duration or the number is negative or not finite
 * @example durationMs('10 minutes', 'within') // 600000
 */
export function durationMs(duration: Duration, what = 'duration'): number {
  const ms = typeof duration === 'number' ? duration : parse(duration);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new SettingsError(
      'INVALID_DURATION',
      `${what}: ${JSON.stringify(duration)} is not a duration; give milliseconds ≥ 0 or a text such as '10 minutes'`,
    );
  }
  return Math.round(ms);
}

function parse(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] as string;
  return Object.hasOwn(UNITS, unit) ? Number(match[1]) * UNITS[unit as keyof typeof UNITS] : undefined;
}
