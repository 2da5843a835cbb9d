import { NO_HEADERS, silentLogger, systemClock } from '@millrace/core';
import { createKafkaClient, type KafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { RecordCursor } from '@millrace/wire';

/** A program has to start first, and to wait for the end of the session of one before it that could not tell that it left. */
const WAIT_MS = 90_000;

/** Writes and reads topics of one partition, as text. */
export class TopicAccess implements AsyncDisposable {
  readonly #client: KafkaClient;

  constructor(brokers: string) {
    this.#client = createKafkaClient({
      transport: createSocketTransport({ brokers: brokers.split(','), clientId: 'test', logger: silentLogger }),
    });
  }

  async create(...names: string[]): Promise<void> {
    await this.#client.admin.createTopics(names.map((name) => ({ name, partitions: 1, replicationFactor: 1, configs: {} })));
  }

  async exists(topic: string): Promise<boolean> {
    return (await this.#client.admin.describeTopics([topic])).get(topic) !== undefined;
  }

  /** How many members the group of an application has. */
  async members(groupId: string): Promise<number> {
    return (await this.#client.admin.describeGroup(groupId)).members.length;
  }

  async write(topic: string, records: readonly (readonly [key: string, value: string])[]): Promise<void> {
    const producer = this.#client.createProducer();
    const handle = await producer.topic(topic);
    for (const [key, value] of records) {
      const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value)];
      const now = systemClock.nowMs();
      producer.append(handle, 0, now, keyBytes, 0, keyBytes.length, valueBytes, 0, valueBytes.length, NO_HEADERS);
    }
    await producer.close();
  }

  /** Committed values from the beginning of the topic, as soon as the condition holds for them. */
  async read(topic: string, isEnough: (values: readonly string[]) => boolean): Promise<string[]> {
    const fetcher = this.#client.createFetcher({ isolation: 'read_committed' });
    const deadline = systemClock.nowMs() + WAIT_MS;
    const values: string[] = [];
    try {
      fetcher.assign(topic, 0, 0);
      while (!isEnough(values)) {
        if (systemClock.nowMs() > deadline) throw new Error(`${topic} has only ${JSON.stringify(values)}`);
        await fetcher.wait(200);
        for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take()) {
          const cursor = new RecordCursor();
          for (const { buffer, header } of fetched.batches) {
            cursor.open(buffer, header, fetched.fetchOffset);
            while (cursor.next()) values.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
          }
        }
      }
    } finally {
      await fetcher.close();
    }
    return values;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
