import type { LogFields, Logger } from 'millrace';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** Log lines on standard error, where the kits keep them: time, level, message, fields. */
export function stderrLogger(from: Level, context: LogFields = {}): Logger {
  const at = (level: Level) => {
    return (message: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(from)) return;
      const text = JSON.stringify({ ...context, ...fields }, (_name, value: unknown) =>
        value instanceof Error ? value.stack : value,
      );
      console.error(`${new Date().toISOString()} ${level} ${message} ${text}`);
    };
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => stderrLogger(from, { ...context, ...fields }),
  };
}
