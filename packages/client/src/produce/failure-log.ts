import { type StreamsError, TaskMigratedError } from '@millrace/core';
import type { ProduceFailure } from '../port/kafka-client.ts';

/** Remembers what went wrong until somebody asks: once for the next flush, once for the production error handler. */
export class FailureLog {
  #sinceFlush: StreamsError | undefined;
  #sinceTaken: ProduceFailure | undefined;

  record(failure: ProduceFailure & { readonly error: StreamsError }): void {
    this.#sinceFlush ??= failure.error;
    // Not the record is refused but its sender, who has been fenced: whoever has the tasks now sends it.
    if (failure.error instanceof TaskMigratedError) return;
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
