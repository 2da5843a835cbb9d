import { ByteBuffer, NO_HEADERS, writeWith, type Topic } from '@millrace/core';
import type { KafkaClient, Producer } from '@millrace/client';
import { partitionForKey } from '@millrace/wire';
import type { Arrival } from './generator.ts';
import type { Topics } from '../topology.ts';

/** Writes orders and payments to their topics, placed by the hash of their key as every Kafka client does it. */
export class Feed {
  readonly #topics: Topics;
  readonly #producer: Producer;
  readonly #scratch = new ByteBuffer(256);

  constructor(client: KafkaClient, topics: Topics) {
    this.#topics = topics;
    this.#producer = client.createProducer();
  }

  /** Sends the records and waits until the brokers have them. @param partition instead of the one that the key gives */
  async send(arrivals: readonly Arrival[], partition?: number): Promise<void> {
    for (const arrival of arrivals) {
      if (arrival.kind === 'order') await this.#append(this.#topics.orders, arrival.value, arrival.timestamp, partition);
      else await this.#append(this.#topics.payments, arrival.value, arrival.timestamp, partition);
    }
    await this.#producer.flush();
  }

  /** Drops what has not been sent: `send` has waited for everything that matters. */
  async close(): Promise<void> {
    await this.#producer.close(true);
  }

  async #append<V extends { readonly orderId: string }>(
    topic: Topic<string, V>,
    value: V,
    timestamp: number,
    partition: number | undefined,
  ): Promise<void> {
    const handle = this.#producer.knownTopic(topic.name) ?? (await this.#producer.topic(topic.name));
    const scratch = this.#scratch;
    scratch.clear();
    writeWith(topic.key, value.orderId, scratch, topic.name);
    const keyEnd = scratch.length;
    writeWith(topic.value, value, scratch, topic.name);
    const { bytes, length } = scratch;
    const target = partition ?? partitionForKey(bytes, 0, keyEnd, handle.partitions);
    this.#producer.append(handle, target, timestamp, bytes, 0, keyEnd, bytes, keyEnd, length, NO_HEADERS);
  }
}
