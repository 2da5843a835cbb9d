import type { Logger } from '@millrace/core';
import type { KafkajsInternals, KafkajsLogger } from './kafkajs-internals.ts';

const warningLevel = 2;

/**
 * kafkajs's log lines as ours, all on debug: what it calls an error (a refused connection, a closed socket) is expected in a
 * cluster's life, is reported to the caller as well, and is logged by the lanes where it matters.
 */
export function kafkajsLog(kafkajs: KafkajsInternals, logger: Logger): KafkajsLogger {
  return kafkajs.createLogger({
    level: warningLevel,
    logCreator:
      () =>
      ({ namespace, log }) => {
        const { message, timestamp, logger: source, stack, ...fields } = log;
        logger.debug(`kafkajs: ${message}`, { namespace, ...fields });
      },
  });
}
