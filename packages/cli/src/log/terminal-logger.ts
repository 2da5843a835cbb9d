import type { Clock, LogFields, Logger } from '@millrace/core';
import type { LogLevel } from '../arguments/raw-options.ts';
import type { Palette } from '../view/palette.ts';

const ORDER = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface TerminalLoggerOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly palette: Palette;
  /** Takes one line, without its line break. */
  readonly write: (line: string) => void;
}

/** Log lines for a person: time of day, level, message, and the fields that tell where. */
export function createTerminalLogger(options: TerminalLoggerOptions, context: LogFields = {}): Logger {
  const at = (level: Exclude<LogLevel, 'silent'>) => {
    return (message: string, fields: LogFields = {}): void => {
      if (ORDER.indexOf(level) < ORDER.indexOf(options.level)) return;
      options.write(format(level, message, { ...context, ...fields }, options));
    };
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createTerminalLogger(options, { ...context, ...fields }),
  };
}

function format(
  level: Exclude<LogLevel, 'silent'>,
  message: string,
  { error, ...fields }: LogFields,
  { clock, palette }: TerminalLoggerOptions,
): string {
  const time = new Date(clock.nowMs()).toISOString().slice(11, 19);
  const paint = { debug: palette.dim, info: palette.cyan, warn: palette.yellow, error: palette.red }[level];
  const details = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const cause = error === undefined ? '' : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
  const where = details.length === 0 ? '' : ` ${palette.dim(details.join(' '))}`;
  return `${palette.dim(time)} ${paint(level.padEnd(5))} ${message}${cause}${where}`;
}
