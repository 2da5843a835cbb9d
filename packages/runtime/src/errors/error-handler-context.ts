import type { Headers } from '@millrace/core';

/**
 * The record that a task was working on when something failed. Behind a repartition topic it describes the record of that
 * topic, not the original input.
 *
 * Source: Kafka Streams `ErrorHandlerContext`.
 */
export interface ErrorHandlerContext {
  readonly taskId: string;
  /** The node that failed; for input that cannot be read its source node. */
  readonly node: string;
  /** `undefined` in a punctuator, where no record is being processed. */
  readonly topic: string | undefined;
  /** −1 in a punctuator. */
  readonly partition: number;
  /** −1 in a punctuator. */
  readonly offset: number;
  /** Event time in ms; −1 when it is not known yet. */
  readonly timestamp: number;
  readonly headers: Headers;
}

/** What a handler decided: `continue` goes on without the record, `fail` stops the task. */
export interface ErrorDecision {
  readonly decide: 'continue' | 'fail';
}

/** The decision of every built-in handler whose name begins with `logAndContinue`. */
export const CONTINUE: ErrorDecision = Object.freeze({ decide: 'continue' });

/** The decision of every built-in handler whose name begins with `logAndFail`. */
export const FAIL: ErrorDecision = Object.freeze({ decide: 'fail' });

/** The context as fields of a log line: without the headers, whose values may be anything. */
export function contextFields(context: ErrorHandlerContext, error: unknown): { readonly [name: string]: unknown } {
  const { taskId, node, topic, partition, offset, timestamp } = context;
  return { taskId, node, topic, partition, offset, timestamp, error };
}
