import type { Logger } from '@millrace/core';
import { decision, type ErrorDecision } from './error-decision.ts';
import { contextFields, type ErrorHandlerContext } from './error-handler-context.ts';

/** The bytes of a record that could not be read. Copies: they may be kept. */
export interface RawRecord {
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
}

/**
 * Decides about input that cannot be taken: its key or value cannot be deserialised, or its timestamp is further ahead than the
 * setting `maxTimestampAheadMs` allows (a StreamsError with the code `TIMESTAMP_TOO_FAR_AHEAD`).
 *
 * `continue` drops the record, counts it and lets the committed offset pass it. Called synchronously, between two records.
 *
 * Source: Kafka Streams `DeserializationExceptionHandler`.
 */
export interface DeserializationErrorHandler {
  /** An error thrown here, or any other answer, is fatal. */
  handle(context: ErrorHandlerContext, record: RawRecord, error: unknown): ErrorDecision;
}

/**
 * Logs the record at ERROR and stops the task. The default. Writes a dead letter before, if the application has the setting
 * `deadLetterTopic`. Source: `LogAndFailExceptionHandler`.
 */
export function logAndFailDeserialization(logger: Logger): DeserializationErrorHandler {
  return {
    handle(context, _record, error) {
      logger.error('a record cannot be deserialised', contextFields(context, error));
      return decision('fail', context, error);
    },
  };
}

/**
 * Logs the record at WARN and goes on with the next one. Writes a dead letter, if the application has the setting
 * `deadLetterTopic`. Source: `LogAndContinueExceptionHandler`.
 */
export function logAndContinueDeserialization(logger: Logger): DeserializationErrorHandler {
  return {
    handle(context, _record, error) {
      logger.warn('a record cannot be deserialised and is skipped', contextFields(context, error));
      return decision('continue', context, error);
    },
  };
}
