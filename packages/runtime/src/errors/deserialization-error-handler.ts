import type { Logger } from '@millrace/core';
import { CONTINUE, contextFields, FAIL, type ErrorDecision, type ErrorHandlerContext } from './error-handler-context.ts';

/** The bytes of a record that could not be read. Copies: they may be kept. */
export interface RawRecord {
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
}

/**
 * Decides about input whose key or value cannot be deserialised.
 *
 * `continue` drops the record, counts it and lets the committed offset pass it. Called synchronously, between two records.
 *
 * Source: Kafka Streams `DeserializationExceptionHandler`.
 */
export interface DeserializationErrorHandler {
  /** An error thrown here, or any other answer, is fatal. */
  handle(context: ErrorHandlerContext, record: RawRecord, error: unknown): ErrorDecision;
}

/** Logs the record at ERROR and stops the task. The default. Source: `LogAndFailExceptionHandler`. */
export function logAndFailDeserialization(logger: Logger): DeserializationErrorHandler {
  return {
    handle(context, _record, error) {
      logger.error('a record cannot be deserialised', contextFields(context, error));
      return FAIL;
    },
  };
}

/** Logs the record at WARN and goes on with the next one. Source: `LogAndContinueExceptionHandler`. */
export function logAndContinueDeserialization(logger: Logger): DeserializationErrorHandler {
  return {
    handle(context, _record, error) {
      logger.warn('a record cannot be deserialised and is skipped', contextFields(context, error));
      return CONTINUE;
    },
  };
}
