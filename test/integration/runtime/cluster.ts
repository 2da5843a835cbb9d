import { type Headers, NO_HEADERS, silentLogger, systemClock, topicPartitionKey, type TopicPartition } from '@millrace/core';
import { createKafkaClient, type FetchedPartition, type KafkaClient, type Producer } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { partitionForKey, RecordCursor } from '@millrace/wire';

/** A record that is written; without a key it goes to the partition given, without a value it is a tombstone. */
export interface InputRecord {
  readonly key?: string;
  readonly value?: string;
  readonly partition?: number;
  readonly timestamp?: number;
}

/** A record that was read. */
export interface OutputRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: Buffer | undefined;
  readonly headers: Headers;
}

/** Generous: only what fails waits for so long. */
const WAIT_MS = 100_000;

/** Kafka from the outside: makes topics, writes input, reads what was committed. */
export class TestCluster implements AsyncDisposable {
  readonly client: KafkaClient;

  constructor(brokers: string) {
    this.client = createKafkaClient({
      transport: createSocketTransport({ brokers: brokers.split(','), clientId: 'test', logger: silentLogger }),
    });
  }

  async create(name: string, partitions: number, configs: { [name: string]: string } = {}): Promise<void> {
    await this.client.admin.createTopics([{ name, partitions, replicationFactor: 1, configs }]);
  }

  async write(topic: string, records: readonly InputRecord[]): Promise<void> {
    const producer = this.client.createProducer();
    await append(producer, topic, records);
    await producer.close();
  }

  /**
   * Writes slowly, so that what happens to the workers happens in the middle: some records, a pause, and so on.
   *
   * @returns how many there were
   */
  async writeSlowly(topic: string, records: Iterable<InputRecord>, perSecond: number): Promise<number> {
    const producer = this.client.createProducer();
    const chunkMax = Math.max(1, Math.round(perSecond / 50));
    let [count, chunk]: [number, InputRecord[]] = [0, []];
    for (const record of records) {
      count++;
      chunk.push(record);
      if (chunk.length < chunkMax) continue;
      await append(producer, topic, chunk);
      chunk = [];
      await systemClock.sleep(20);
    }
    await append(producer, topic, chunk);
    await producer.close();
    return count;
  }

  /** Everything in the topic that is committed, up to its end as of now. */
  async read(topic: string, isolation: 'read_committed' | 'read_uncommitted' = 'read_committed'): Promise<OutputRecord[]> {
    const ends = await this.client.offsets.list(await this.partitions(topic), 'latest');
    return this.#readUntil(topic, isolation, (_records, positions) =>
      [...ends].every(([partition, end]) => (positions.get(partition) ?? 0) >= end),
    );
  }

  /** Reads from the beginning until the condition holds. */
  readUntil(topic: string, isEnough: (records: readonly OutputRecord[]) => boolean): Promise<OutputRecord[]> {
    return this.#readUntil(topic, 'read_committed', isEnough);
  }

  async #readUntil(
    topic: string,
    isolation: 'read_committed' | 'read_uncommitted',
    isEnough: (records: readonly OutputRecord[], positions: ReadonlyMap<string, number>) => boolean,
  ): Promise<OutputRecord[]> {
    const fetcher = this.client.createFetcher({ isolation, lane: 'restore' });
    const positions = new Map<string, number>();
    const records: OutputRecord[] = [];
    const deadline = systemClock.monotonicMs() + WAIT_MS;
    try {
      const starts = await this.client.offsets.list(await this.partitions(topic), 'earliest');
      for (const { partition } of await this.partitions(topic)) {
        const start = starts.get(topicPartitionKey(topic, partition)) ?? 0;
        positions.set(topicPartitionKey(topic, partition), start);
        fetcher.assign(topic, partition, start);
      }
      while (!isEnough(records, positions)) {
        if (systemClock.monotonicMs() > deadline) throw new Error(`${topic} has only ${records.length} committed records`);
        await fetcher.wait(200);
        for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take()) {
          records.push(...recordsIn(fetched));
          positions.set(topicPartitionKey(topic, fetched.partition), fetched.nextOffset);
        }
      }
    } finally {
      await fetcher.close();
    }
    return records;
  }

  async partitions(topic: string): Promise<TopicPartition[]> {
    const found = (await this.client.admin.describeTopics([topic])).get(topic);
    return Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({ topic, partition }));
  }

  /** Waits until the application has committed everything that the topic holds now. */
  async drained(applicationId: string, topic: string): Promise<void> {
    const partitions = await this.partitions(topic);
    const ends = await this.client.offsets.list(partitions, 'latest');
    const deadline = systemClock.monotonicMs() + WAIT_MS;
    for (;;) {
      const committed = await this.client.offsets.committed(applicationId, partitions);
      const behind = committed.filter(
        ({ partition, offset }) => Math.max(0, offset) < (ends.get(topicPartitionKey(topic, partition)) ?? 0),
      );
      if (behind.length === 0) return;
      if (systemClock.monotonicMs() > deadline)
        throw new Error(`not drained: ${JSON.stringify(behind)}, ends ${[...ends].join(' ')}`);
      await systemClock.sleep(50);
    }
  }

  /** Waits until no transaction is open in any topic of that prefix: its markers come a little after the commit was answered. */
  async settled(prefix: string): Promise<void> {
    const names = (await this.client.admin.listTopics()).map(({ name }) => name).filter((name) => name.startsWith(prefix));
    const partitions = (await Promise.all(names.map((name) => this.partitions(name)))).flat();
    const deadline = systemClock.monotonicMs() + WAIT_MS;
    for (;;) {
      const [ends, stable] = await Promise.all([
        this.client.offsets.list(partitions, 'latest'),
        this.client.offsets.list(partitions, 'latest-stable'),
      ]);
      const open = [...ends].filter(([partition, end]) => stable.get(partition) !== end).map(([partition]) => partition);
      if (open.length === 0) return;
      if (systemClock.monotonicMs() > deadline) throw new Error(`transactions stay open in ${open.join(', ')}`);
      await systemClock.sleep(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

async function append(producer: Producer, topic: string, records: readonly InputRecord[]): Promise<void> {
  const handle = await producer.topic(topic);
  const now = systemClock.nowMs();
  for (const { key, value, partition, timestamp = now } of records) {
    const keyBytes = Buffer.from(key ?? '');
    const valueBytes = Buffer.from(value ?? '');
    const to = partition ?? partitionForKey(keyBytes, 0, keyBytes.length, handle.partitions);
    const [keyStart, valueStart] = [key === undefined ? -1 : 0, value === undefined ? -1 : 0];
    producer.append(
      handle,
      to,
      timestamp,
      keyBytes,
      keyStart,
      keyBytes.length,
      valueBytes,
      valueStart,
      valueBytes.length,
      NO_HEADERS,
    );
  }
}

function recordsIn({ partition, batches, fetchOffset }: FetchedPartition): OutputRecord[] {
  const records: OutputRecord[] = [];
  const cursor = new RecordCursor();
  for (const { buffer, header } of batches) {
    cursor.open(buffer, header, fetchOffset);
    while (cursor.next()) {
      const { offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor;
      const key = cursor.buffer.toString('utf8', keyStart, keyEnd);
      const value = valueStart < 0 ? undefined : Buffer.from(cursor.buffer.subarray(valueStart, valueEnd));
      const headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
      records.push({ partition, offset, timestamp, key, value, headers });
    }
  }
  return records;
}
