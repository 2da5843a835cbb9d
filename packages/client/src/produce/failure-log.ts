import { type StreamsError, TaskMigratedError, TransactionAbortedError } from '@millrace/core';
import type { ProduceFailure } from '../port/kafka-client.ts';

/** Codes that say that the client may not do what it does, whatever the record. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  'AUTHENTICATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
]);

/** Remembers what went wrong until somebody asks: once for the next flush, once for the production error handler. */
export class FailureLog {
  #sinceFlush: StreamsError | undefined;
  #sinceTaken: ProduceFailure | undefined;

  record(failure: ProduceFailure & { readonly error: StreamsError }): void {
    this.#sinceFlush ??= failure.error;
    if (isOfSender(failure.error)) return;
    this.#sinceTaken ??= failure;
  }

  /** The first failure since the last flush. */
  takeForFlush(): StreamsError | undefined {
    const error = this.#sinceFlush;
    this.#sinceFlush = undefined;
    return error;
  }

  /** The first record refused since the last call. */
  take(): ProduceFailure | undefined {
    const failure = this.#sinceTaken;
    this.#sinceTaken = undefined;
    return failure;
  }
}

/**
 * Not the record is refused but its sender. Who has been fenced leaves it to whoever has the tasks now; whose sequence of batches is
 * broken sends it again in the next transaction; who has lost his rights would lose every record with a handler that goes on without
 * the refused ones. Source: Kafka Streams `RecordCollectorImpl`, `isFatalException` and what becomes a `TaskMigratedException`.
 */
function isOfSender(error: StreamsError): boolean {
  return error instanceof TaskMigratedError || error instanceof TransactionAbortedError || NOT_ALLOWED.has(error.code);
}
