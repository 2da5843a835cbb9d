import type { OffsetTarget } from 'millrace';
import { UsageError } from '../usage-error.ts';

/** The options that say where to go; at most one may be given. */
export interface OffsetTargetOptions {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
}

const UNIT_MS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1000 } as const;

/**
 * The place in the inputs that the options mean, as those of Kafka's `kafka-streams-application-reset`.
 *
 * @param nowMs ms since 1970, for durations
 * @throws UsageError when two are given, or one cannot be read
 */
export function parseOffsetTarget(options: OffsetTargetOptions, nowMs: number): OffsetTarget {
  const { toEarliest, toLatest, toOffset, toDatetime, byDuration, shiftBy } = options;
  const given = Object.entries({ toEarliest, toLatest, toOffset, toDatetime, byDuration, shiftBy }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length > 1) throw new UsageError(`${given.map(([name]) => optionName(name)).join(' and ')}: give one`);
  if (toLatest === true) return { kind: 'latest' };
  if (toOffset !== undefined) return { kind: 'offset', offset: integer('--to-offset', toOffset, /^\d{1,15}$/) };
  if (shiftBy !== undefined) return { kind: 'shift', by: integer('--shift-by', shiftBy, /^[+-]?\d{1,15}$/) };
  if (toDatetime !== undefined) return { kind: 'time', atMs: timeOf(toDatetime) };
  if (byDuration !== undefined) return { kind: 'time', atMs: Math.max(0, nowMs - durationOf(byDuration)) };
  return { kind: 'earliest' };
}

function optionName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function integer(option: string, text: string, form: RegExp): number {
  if (!form.test(text)) throw new UsageError(`${option} ${text}: give a whole number of records`);
  return Number(text);
}

function timeOf(text: string): number {
  const match = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  const time = match === null ? Number.NaN : Date.parse(match[1] === undefined ? `${text}Z` : text);
  if (Number.isNaN(time) || time < 0) {
    throw new UsageError(
      `--to-datetime ${text}: give a time such as 2026-01-31T12:00:00, or with a zone: 2026-01-31T12:00:00+02:00`,
    );
  }
  return time;
}

/** ISO 8601 as Java's `Duration` takes it: days, hours, minutes, seconds. */
function durationOf(text: string): number {
  const match = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$/.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) {
    throw new UsageError(`--by-duration ${text}: give a duration such as P7D, PT12H or P1DT2H30M`);
  }
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return days * UNIT_MS.days + hours * UNIT_MS.hours + minutes * UNIT_MS.minutes + Math.round(seconds * UNIT_MS.seconds);
}
