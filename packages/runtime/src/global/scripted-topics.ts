import { topicPartitionKey, type TopicPartition } from '@millrace/core';
import type { FetchedPartition, Fetcher, FetcherOptions, FetchFailure, KafkaClient } from '@millrace/client';
import { fetchedPartition, type FetchedRecord } from '../task-harness/fetched-partition.ts';

/** Topics for tests of what reads them without a group: a client whose fetchers hand out what is appended. */
export class ScriptedTopics {
  readonly #logs = new Map<string, FetchedRecord[]>();
  readonly #partitions = new Map<string, number>();
  readonly #fetchers = new Set<ScriptedFetcher>();
  readonly fetcherOptions: FetcherOptions[] = [];

  /** @param partitions counts by topic */
  constructor(partitions: Readonly<Record<string, number>>) {
    for (const [topic, count] of Object.entries(partitions)) this.#partitions.set(topic, count);
  }

  append(topic: string, partition: number, ...records: FetchedRecord[]): void {
    const log = this.log(topic, partition);
    const baseOffset = log.length;
    log.push(...records);
    for (const fetcher of this.#fetchers) fetcher.arrive(fetchedPartition(records, { topic, partition, baseOffset }));
  }

  log(topic: string, partition: number): FetchedRecord[] {
    const key = topicPartitionKey(topic, partition);
    const log = this.#logs.get(key) ?? [];
    this.#logs.set(key, log);
    return log;
  }

  /** The partition cannot be read any more. */
  fail(failure: FetchFailure): void {
    for (const fetcher of this.#fetchers) fetcher.fail(failure);
  }

  get openFetchers(): number {
    return this.#fetchers.size;
  }

  readonly client = {
    admin: {
      describeTopics: async (names: readonly string[]) =>
        new Map(
          names.map((name) => {
            const partitions = this.#partitions.get(name);
            return [name, partitions === undefined ? undefined : { name, partitions }];
          }),
        ),
    },
    offsets: {
      list: async (partitions: readonly TopicPartition[], which: string) =>
        new Map(
          partitions.map(({ topic, partition }) => [
            topicPartitionKey(topic, partition),
            which === 'earliest' ? 0 : this.log(topic, partition).length,
          ]),
        ),
    },
    createFetcher: (options: FetcherOptions) => {
      this.fetcherOptions.push(options);
      const fetcher = new ScriptedFetcher(
        (topic, partition) => this.log(topic, partition),
        () => this.#fetchers.delete(fetcher),
      );
      this.#fetchers.add(fetcher);
      return fetcher as unknown as Fetcher;
    },
  } as unknown as KafkaClient;
}

class ScriptedFetcher {
  readonly #log: (topic: string, partition: number) => FetchedRecord[];
  readonly #onClose: () => void;
  readonly #assigned = new Set<string>();
  readonly #arrivals: FetchedPartition[] = [];
  readonly #failures: FetchFailure[] = [];
  #wake: () => void = () => undefined;

  constructor(log: (topic: string, partition: number) => FetchedRecord[], onClose: () => void) {
    this.#log = log;
    this.#onClose = onClose;
  }

  get available(): boolean {
    return this.#arrivals.length > 0;
  }

  assign(topic: string, partition: number, offset: number): void {
    this.#assigned.add(topicPartitionKey(topic, partition));
    const records = this.#log(topic, partition).slice(offset);
    if (records.length > 0) this.arrive(fetchedPartition(records, { topic, partition, baseOffset: offset }));
  }

  unassign(topic: string, partition: number): void {
    this.#assigned.delete(topicPartitionKey(topic, partition));
  }

  arrive(fetched: FetchedPartition): void {
    if (!this.#assigned.has(topicPartitionKey(fetched.topic, fetched.partition))) return;
    this.#arrivals.push(fetched);
    this.#wake();
  }

  fail(failure: FetchFailure): void {
    this.#failures.push(failure);
    this.#wake();
  }

  take(): FetchedPartition | undefined {
    return this.#arrivals.shift();
  }

  takeFailures(): FetchFailure[] {
    return this.#failures.splice(0);
  }

  /** Until something comes or the signal aborts: time plays no part. */
  wait(_timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.available || this.#failures.length > 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  pause(): void {
    // A queue that is full keeps what has arrived: nothing more is needed here.
  }

  resume(): void {
    // See pause.
  }

  position(): number {
    return 0;
  }

  bounds(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#onClose();
  }
}
