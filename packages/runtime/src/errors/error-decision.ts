import { type DeadLetter, deadLetter } from './dead-letter.ts';
import type { ErrorHandlerContext } from './error-handler-context.ts';

/** What a handler decided. */
export interface ErrorDecision {
  /** `continue` goes on without the record, `fail` stops the task. */
  readonly decide: 'continue' | 'fail';
  /**
   * Records to write: under exactly-once in the transaction that commits the offset behind the input record, so that a
   * `read_committed` reader sees each once. With `fail` they are written before the task stops: under exactly-once they go down with
   * its transaction, at least once they stay. Global stores write none.
   *
   * Source: Kafka Streams `Response.deadLetterQueueRecords` (KIP-1034).
   */
  readonly deadLetters?: readonly DeadLetter[] | undefined;
}

/** The decision of a built-in handler: with a dead letter if the application has a topic for them. */
export function decision(decide: ErrorDecision['decide'], context: ErrorHandlerContext, error: unknown): ErrorDecision {
  const { deadLetterTopic } = context;
  return deadLetterTopic === undefined ? { decide } : { decide, deadLetters: [deadLetter(deadLetterTopic, context, error)] };
}
