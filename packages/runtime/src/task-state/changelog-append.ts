import { NO_HEADERS } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '@millrace/client';
import type { ChangelogWriter } from '@millrace/state';

/** Appends the changelog records of one store to the partition that has the task's number. */
export class ChangelogAppend implements ChangelogWriter {
  readonly #appender: BatchAppender;
  readonly #topic: TopicHandle;
  readonly #partition: number;

  constructor(appender: BatchAppender, topic: TopicHandle, partition: number) {
    this.#appender = appender;
    this.#topic = topic;
    this.#partition = partition;
  }

  append(
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers = NO_HEADERS,
  ): void {
    this.#appender.append(this.#topic, this.#partition, timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
  }

  /** The offset after the last acknowledged record; −1 when nothing has been written yet. */
  get endOffset(): number {
    return this.#appender.endOffset(this.#topic.topic, this.#partition);
  }
}
