import type { Headers } from '@millrace/core';
import type { TopicHandle } from '@millrace/client';

/** A serialised record that cannot be appended before its topic is known. */
export interface WaitingRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  /** A copy: key first, value behind it. */
  readonly bytes: Buffer;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly headers: Headers;
}

/**
 * Records for topics that are being looked up. The task waits for each look-up before it takes another record, so that what
 * waits here is bounded by what one record causes, and order is kept.
 */
export class WaitingTopics {
  readonly #lookUp: (topic: string) => Promise<TopicHandle>;
  readonly #waiting = new Map<string, WaitingRecord[]>();

  constructor(lookUp: (topic: string) => Promise<TopicHandle>) {
    this.#lookUp = lookUp;
  }

  /**
   * Keeps the record until the topic is known.
   *
   * @returns the look-up, when this record is the first that waits for it; it ends with handing over all that wait by then
   */
  add(
    topic: string,
    record: WaitingRecord,
    handOver: (handle: TopicHandle, records: readonly WaitingRecord[]) => void,
  ): Promise<void> | undefined {
    const waiting = this.#waiting.get(topic);
    if (waiting !== undefined) {
      waiting.push(record);
      return undefined;
    }
    const records = [record];
    this.#waiting.set(topic, records);
    return this.#lookUp(topic)
      .then((handle) => handOver(handle, records))
      .finally(() => this.#waiting.delete(topic));
  }

  has(topic: string): boolean {
    return this.#waiting.has(topic);
  }
}
