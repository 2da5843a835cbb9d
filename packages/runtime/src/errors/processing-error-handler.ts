import type { Logger } from '@millrace/core';
import { decision, type ErrorDecision } from './error-decision.ts';
import { contextFields, type ErrorHandlerContext } from './error-handler-context.ts';

/** What the failed node had been given; both are `undefined` in a punctuator. */
export interface ProcessedRecord {
  readonly key: unknown;
  readonly value: unknown;
}

/**
 * Decides about an error that user code threw in a node.
 *
 * `continue` drops the record at that node: its siblings still run, and what was written to stores stays written.
 *
 * Source: Kafka Streams `ProcessingExceptionHandler` (KIP-1033).
 */
export interface ProcessingErrorHandler {
  /** An error thrown here, or any other answer, is fatal. */
  handle(context: ErrorHandlerContext, record: ProcessedRecord, error: unknown): ErrorDecision;
}

/**
 * Logs the error and stops the task. The default. Writes a dead letter before, if the application has the setting
 * `deadLetterTopic`. Source: `LogAndFailProcessingExceptionHandler`.
 */
export function logAndFailProcessing(logger: Logger): ProcessingErrorHandler {
  return {
    handle(context, _record, error) {
      logger.error('processing a record failed', contextFields(context, error));
      return decision('fail', context, error);
    },
  };
}

/**
 * Logs the error at WARN and goes on without the record. Writes a dead letter, if the application has the setting
 * `deadLetterTopic`. Source: `LogAndContinueProcessingExceptionHandler`.
 */
export function logAndContinueProcessing(logger: Logger): ProcessingErrorHandler {
  return {
    handle(context, _record, error) {
      logger.warn('processing a record failed, the record is dropped', contextFields(context, error));
      return decision('continue', context, error);
    },
  };
}
