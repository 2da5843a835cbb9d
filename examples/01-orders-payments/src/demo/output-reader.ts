import type { FetchedPartition, Fetcher, KafkaClient } from '@millrace/client';
import { readWith, topicPartitionKey, type Topic, type TopicPartition } from '@millrace/core';
import { RecordCursor } from '@millrace/wire';

const WAIT_MS = 200;

/** A topic and what to do with each of its values. */
export interface Output {
  readonly topic: string;
  readonly take: (source: Buffer, start: number, end: number) => void;
}

/** Hands each value of the topic to `take`; records without a value are left out. */
export function output<V>({ name, value }: Topic<string, V>, take: (value: V) => void): Output {
  return { topic: name, take: (source, start, end) => start < 0 || take(readWith(value, source, start, end, name)) };
}

/** Reads topics from their beginning, every record once, and only what is committed. */
export class OutputReader implements AsyncDisposable {
  readonly #client: KafkaClient;
  readonly #fetcher: Fetcher;
  readonly #outputs: ReadonlyMap<string, Output>;
  readonly #partitions: readonly TopicPartition[];
  readonly #cursor = new RecordCursor();

  constructor(client: KafkaClient, outputs: readonly Output[], partitions: number) {
    this.#client = client;
    this.#fetcher = client.createFetcher({ isolation: 'read_committed' });
    this.#outputs = new Map(outputs.map((one) => [one.topic, one]));
    this.#partitions = outputs.flatMap(({ topic }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
    for (const { topic, partition } of this.#partitions) this.#fetcher.assign(topic, partition, 0);
  }

  /** Reads until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#readSome(signal);
  }

  /** Reads up to where the topics end now. Only one of the two at a time. */
  async readToEnd(signal: AbortSignal): Promise<void> {
    const ends = await this.#client.offsets.list(this.#partitions, 'latest', signal);
    const isBehind = ({ topic, partition }: TopicPartition): boolean =>
      this.#fetcher.position(topic, partition) < (ends.get(topicPartitionKey(topic, partition)) ?? 0);
    while (!signal.aborted && this.#partitions.some(isBehind)) await this.#readSome(signal);
    signal.throwIfAborted();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fetcher.close();
  }

  async #readSome(signal: AbortSignal): Promise<void> {
    await this.#fetcher.wait(WAIT_MS, signal);
    for (const { error } of this.#fetcher.takeFailures()) throw error;
    for (let fetched = this.#fetcher.take(); fetched !== undefined; fetched = this.#fetcher.take()) this.#take(fetched);
  }

  #take({ topic, batches, fetchOffset }: FetchedPartition): void {
    const cursor = this.#cursor;
    for (const { buffer, header } of batches) {
      cursor.open(buffer, header, fetchOffset);
      while (cursor.next()) this.#outputs.get(topic)?.take(cursor.buffer, cursor.valueStart, cursor.valueEnd);
    }
  }
}
