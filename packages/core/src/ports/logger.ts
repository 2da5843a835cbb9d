/** Facts of a log line; values must survive `JSON.stringify`. An error goes under `error`. */
export type LogFields = Readonly<{ [name: string]: unknown }>;

/**
 * Where log lines go. Matches the shape of pino's methods with the arguments turned round, so that an adapter is four lines.
 *
 * Never called per record, except when a record is dropped or skipped.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

/** Drops every line. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
