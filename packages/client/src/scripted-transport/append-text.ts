import { NO_HEADERS, type Headers } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '../port/kafka-client.ts';

/** Appends a record without key whose value is a text. */
export function appendText(
  producer: BatchAppender,
  topic: TopicHandle,
  partition: number,
  value: string,
  headers: Headers = NO_HEADERS,
): void {
  const bytes = Buffer.from(value);
  producer.append(topic, partition, 0, bytes, -1, -1, bytes, 0, bytes.length, headers);
}
