import { systemClock, topicPartitionKey } from '@millrace/core';
import type { CommittedOffset, FetchFailure, FetchedPartition, KafkaClient } from '@millrace/client';
import { fetchedPartition, type FetchedRecord } from '../task-harness/fetched-partition.ts';

interface Reading {
  offset: number;
  isPaused: boolean;
}

/** Topics with one partition, and a fetcher that hands out what a test has put there; it never has to wait. */
export class ScriptedChangelogs {
  readonly topics = new Map<string, FetchedRecord[]>();
  /** Read from here on by nobody: the first offset of each topic. */
  readonly starts = new Map<string, number>();
  readonly committed = new Map<string, CommittedOffset>();
  readonly failures: FetchFailure[] = [];
  /** What was asked of the fetcher, in order. */
  readonly calls: string[] = [];
  readonly #readings = new Map<string, Reading>();

  readonly client = {
    offsets: {
      list: async (partitions: readonly { topic: string; partition: number }[], which: 'earliest' | 'latest') =>
        new Map(
          partitions.map(({ topic, partition }) => {
            const offset = which === 'latest' ? this.end(topic) : (this.starts.get(topic) ?? 0);
            return [topicPartitionKey(topic, partition), offset];
          }),
        ),
      committed: async (_group: string, partitions: readonly { topic: string; partition: number }[]) =>
        partitions.map(({ topic, partition }) => this.committed.get(topic) ?? { topic, partition, offset: -1, metadata: '' }),
    },
    createFetcher: () => ({
      assign: (topic: string, _partition: number, offset: number) => {
        this.calls.push(`fetch ${topic} from ${offset}`);
        this.#readings.set(topic, { offset, isPaused: false });
      },
      unassign: (topic: string) => {
        this.calls.push(`leave ${topic}`);
        this.#readings.delete(topic);
      },
      seek: (topic: string, _partition: number, offset: number) => {
        this.calls.push(`seek ${topic} to ${offset}`);
        this.#reading(topic).offset = offset;
      },
      pause: (topic: string) => {
        this.#reading(topic).isPaused = true;
      },
      resume: (topic: string) => {
        this.#reading(topic).isPaused = false;
      },
      take: () => this.#take(),
      takeFailures: () => this.failures.splice(0),
      wait: () => systemClock.sleep(0),
      close: async () => void this.calls.push('close fetcher'),
    }),
  } as unknown as Pick<KafkaClient, 'createFetcher' | 'offsets'>;

  append(topic: string, ...records: FetchedRecord[]): void {
    const log = this.topics.get(topic) ?? [];
    log.push(...records);
    this.topics.set(topic, log);
  }

  end(topic: string): number {
    return this.topics.get(topic)?.length ?? 0;
  }

  /** True when a topic is being fetched. */
  isFetched(topic: string): boolean {
    return this.#readings.get(topic)?.isPaused === false;
  }

  #reading(topic: string): Reading {
    const reading = this.#readings.get(topic);
    if (reading === undefined) throw new Error(`${topic} is not assigned`);
    return reading;
  }

  #take(): FetchedPartition | undefined {
    for (const [topic, reading] of this.#readings) {
      const end = this.end(topic);
      if (reading.isPaused || reading.offset >= end) continue;
      const from = reading.offset;
      reading.offset = end;
      return { ...fetchedPartition(this.topics.get(topic)?.slice(from) ?? [], { topic, baseOffset: from }), highWatermark: end };
    }
    return undefined;
  }
}
