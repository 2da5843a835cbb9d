import { type Logger, StreamsError, systemClock } from '@millrace/core';

/** Tells what happens in a worker process as one JSON line, with the time. */
export function report(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, atMs: systemClock.nowMs(), ...fields }, describeErrors)}\n`);
}

function describeErrors(_name: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  if (!(value instanceof StreamsError)) return { name, message };
  const { code, taskId, topic, partition, offset } = value;
  return { name, message, cause, code, taskId, topic, partition, offset };
}

const logAt =
  (level: string) =>
  (message: string, fields?: object): void =>
    report('log', { level, message, ...fields });

/** Reports each line as an event `log`; details for debugging are left out. */
export const reportingLogger: Logger = {
  debug: () => undefined,
  info: logAt('info'),
  warn: logAt('warn'),
  error: logAt('error'),
  child: () => reportingLogger,
};
