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
  /**
   * The key of the input record as it came, a copy. `undefined`: it has none, or there is no such record any more: in a punctuator,
   * or when a row that record caching had held back is forwarded.
   */
  readonly sourceRawKey: Buffer | undefined;
  /** As {@link sourceRawKey}, the value. */
  readonly sourceRawValue: Buffer | undefined;
  /** The setting `deadLetterTopic`; `undefined`: the application has none, or a global store is being filled. */
  readonly deadLetterTopic: string | undefined;
}

/** The context as fields of a log line: without headers and bytes, which may be anything. */
export function contextFields(context: ErrorHandlerContext, error: unknown): { readonly [name: string]: unknown } {
  const { taskId, node, topic, partition, offset, timestamp } = context;
  return { taskId, node, topic, partition, offset, timestamp, error };
}
