import { type Logger as Pino, pino } from 'pino';
import type { Clock, LogFields, Logger } from '@millrace/core';
import type { LogLevel } from '../arguments/raw-options.ts';

/**
 * Log lines as JSON, one object a line: `level` as a word, `time` in ISO 8601, `msg`, and the fields. An error goes under
 * `error`, with its stack and its context.
 *
 * @param write takes a whole line, with its line break
 */
export function createPinoLogger(level: LogLevel, clock: Clock, write: (line: string) => void): Logger {
  return adapt(
    pino(
      {
        level,
        base: null,
        timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: pino.stdSerializers.err },
      },
      { write },
    ),
  );
}

/** pino takes the fields first, the port takes the message first. */
function adapt(target: Pino): Logger {
  return {
    debug: (message, fields: LogFields = {}) => target.debug(fields, message),
    info: (message, fields: LogFields = {}) => target.info(fields, message),
    warn: (message, fields: LogFields = {}) => target.warn(fields, message),
    error: (message, fields: LogFields = {}) => target.error(fields, message),
    child: (fields) => adapt(target.child(fields)),
  };
}
