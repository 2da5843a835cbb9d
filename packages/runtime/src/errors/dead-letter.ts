import type { Header, Headers } from '@millrace/core';
import type { ErrorHandlerContext } from './error-handler-context.ts';

/** Headers of a dead letter, besides those of its source record. Source: Kafka Streams `ExceptionHandlerUtils`. */
const EXCEPTION_HEADER = '__streams.errors.exception';
const MESSAGE_HEADER = '__streams.errors.message';
const STACK_TRACE_HEADER = '__streams.errors.stacktrace';
const TOPIC_HEADER = '__streams.errors.topic';
const PARTITION_HEADER = '__streams.errors.partition';
const OFFSET_HEADER = '__streams.errors.offset';

/** Characters: what an error says must not make the record larger than the broker takes. */
const MESSAGE_MAX = 4096;
const STACK_TRACE_MAX = 16_384;
/** Causes that are shown: a chain of them may be a circle. */
const CAUSES_MAX = 8;

/** A record for a dead-letter topic: bytes, as they are to lie there. */
export interface DeadLetter {
  readonly topic: string;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  /** Event time in ms; a negative one becomes the wall clock's. */
  readonly timestamp: number;
  readonly headers: Headers;
}

/**
 * Makes a dead letter of the input record that a handler is asked about: its key, value and headers as they came, its timestamp,
 * and the headers of Kafka Streams that say what failed and where: `__streams.errors.exception` (the name of the error's class),
 * `.message`, `.stacktrace`, `.topic`, `.partition`, `.offset`, all of them text. Message and stack trace are cut at 4 096 and 16 384
 * characters.
 *
 * Built-in handlers do so themselves when the application has the setting `deadLetterTopic`.
 *
 * @param topic has to exist
 * Source: Kafka Streams KIP-1034, `ExceptionHandlerUtils.buildDeadLetterQueueRecord`.
 * @example
 * const onProcessingError: ProcessingErrorHandler = {
 *   handle: (context, record, error) => ({ decide: 'continue', deadLetters: [deadLetter('orders-failed', context, error)] }),
 * };
 */
export function deadLetter(topic: string, context: ErrorHandlerContext, error: unknown): DeadLetter {
  const { sourceRawKey, sourceRawValue, timestamp, headers, partition, offset } = context;
  return {
    topic,
    key: sourceRawKey,
    value: sourceRawValue,
    timestamp,
    headers: [
      ...headers,
      textHeader(EXCEPTION_HEADER, error instanceof Error ? error.name : typeof error),
      textHeader(MESSAGE_HEADER, messageOf(error).slice(0, MESSAGE_MAX)),
      textHeader(STACK_TRACE_HEADER, stackTraceOf(error).slice(0, STACK_TRACE_MAX)),
      textHeader(TOPIC_HEADER, context.topic),
      textHeader(PARTITION_HEADER, String(partition)),
      textHeader(OFFSET_HEADER, String(offset)),
    ],
  };
}

function textHeader(key: string, text: string | undefined): Header {
  return { key, value: text === undefined ? undefined : Buffer.from(text) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of the error and of what caused it, the way Java prints them. */
function stackTraceOf(error: unknown): string {
  const traces: string[] = [];
  let next = error;
  while (next !== undefined && traces.length < CAUSES_MAX) {
    traces.push((next instanceof Error ? next.stack : undefined) ?? messageOf(next));
    next = next instanceof Error ? next.cause : undefined;
  }
  return traces.join('\nCaused by: ');
}
