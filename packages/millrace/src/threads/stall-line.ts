import type { LogFields } from '@millrace/core';

/** How a line looks that tells of a stall: one JSON object, or text for a person. */
export type StallLineFormat = 'json' | 'text';

/**
 * A log line of level `warn`, as `millrace run` writes them; with its line break.
 *
 * @param nowMs since the epoch
 */
export function stallLine(format: StallLineFormat, nowMs: number, message: string, fields: LogFields): string {
  const time = new Date(nowMs).toISOString();
  if (format === 'json') return `${JSON.stringify({ level: 'warn', time, ...fields, msg: message })}\n`;
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${time.slice(11, 19)} warn  ${message}${details.join('')}\n`;
}
