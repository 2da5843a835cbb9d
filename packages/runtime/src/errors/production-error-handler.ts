import { RetriableError, type Logger } from '@millrace/core';
import { decision, type ErrorDecision } from './error-decision.ts';
import { contextFields, type ErrorHandlerContext } from './error-handler-context.ts';

/** A record that could not be serialised, as the sink got it. */
export interface UnserializedRecord {
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
}

/** Where a record was refused by the broker; its bytes are gone by then. */
export interface RefusedRecord {
  readonly topic: string;
  readonly partition: number;
}

/** `retry` repeats the work since the last commit; it makes sense for errors that pass. */
export interface ProductionDecision {
  readonly decide: 'continue' | 'fail' | 'retry';
}

/**
 * Decides about output that cannot be serialised, or that the broker refuses.
 *
 * Source: Kafka Streams `ProductionExceptionHandler`.
 */
export interface ProductionErrorHandler {
  /**
   * Called at a flush or a commit, when the broker has refused a record for good: it has no record context any more, hence no dead
   * letter.
   */
  handle(record: RefusedRecord, error: unknown): ProductionDecision;
  /** Called synchronously by the sink. `continue` drops the record. The context is that of the input record. */
  handleSerialization(
    context: ErrorHandlerContext,
    record: UnserializedRecord,
    error: unknown,
    part: 'key' | 'value',
  ): ErrorDecision;
}

/**
 * Retries what passes by itself, stops on everything else. The default. If the application has the setting `deadLetterTopic`, the
 * input of what cannot be serialised becomes a dead letter. Source: `DefaultProductionExceptionHandler`.
 */
export function defaultProductionErrorHandler(logger: Logger): ProductionErrorHandler {
  return {
    handle(record, error) {
      logger.error('the broker refused a record', { ...record, error });
      return { decide: error instanceof RetriableError ? 'retry' : 'fail' };
    },
    handleSerialization(context, record, error, part) {
      logger.error(`the ${part} of an output record cannot be serialised`, {
        ...contextFields(context, error),
        output: record.topic,
      });
      return decision('fail', context, error);
    },
  };
}

/**
 * Logs at WARN and goes on without the record. If the application has the setting `deadLetterTopic`, the input of what cannot be
 * serialised becomes a dead letter.
 */
export function logAndContinueProduction(logger: Logger): ProductionErrorHandler {
  return {
    handle(record, error) {
      logger.warn('the broker refused a record, the record is dropped', { ...record, error });
      return { decide: 'continue' };
    },
    handleSerialization(context, record, error, part) {
      logger.warn(`the ${part} of an output record cannot be serialised, the record is dropped`, {
        ...contextFields(context, error),
        output: record.topic,
      });
      return decision('continue', context, error);
    },
  };
}
