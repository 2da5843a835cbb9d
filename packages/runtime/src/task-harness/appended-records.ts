import type { Headers } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '@millrace/client';

/** A record as it reached the producer. */
export interface AppendedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly headers: Headers;
}

/** A producer that remembers what was appended, and knows the topics that it was told of. */
export class AppendedRecords implements BatchAppender {
  readonly records: AppendedRecord[] = [];
  backPressure = false;
  readonly bufferedBytes = 0;
  readonly #topics = new Map<string, TopicHandle>();
  readonly #known = new Set<string>();

  /** @param topics partition counts; a topic is known once it has been looked up */
  constructor(topics: Readonly<{ [topic: string]: number }>) {
    for (const [topic, partitions] of Object.entries(topics)) this.#topics.set(topic, { topic, partitions });
  }

  async topic(name: string): Promise<TopicHandle> {
    const handle = this.#topics.get(name);
    if (handle === undefined) throw new Error(`no topic ${name}`);
    this.#known.add(name);
    return handle;
  }

  knownTopic(name: string): TopicHandle | undefined {
    return this.#known.has(name) ? this.#topics.get(name) : undefined;
  }

  append(
    { topic }: TopicHandle,
    partition: number,
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void {
    this.records.push({
      topic,
      partition,
      timestamp,
      key: text(key, keyStart, keyEnd),
      value: text(value, valueStart, valueEnd),
      headers,
    });
  }

  async drained(): Promise<void> {
    this.backPressure = false;
  }

  endOffset(topic: string, partition: number): number {
    const count = this.records.filter((record) => record.topic === topic && record.partition === partition).length;
    return count === 0 ? -1 : count;
  }

  takeFailure(): undefined {
    return undefined;
  }
}

function text(bytes: Buffer, start: number, end: number): string | undefined {
  return start < 0 ? undefined : bytes.toString('utf8', start, end);
}
