import { CancelledError, type Headers, type StreamsError } from '@millrace/core';
import type { Cluster } from '../cluster/cluster.ts';
import type { ProduceFailure, Producer, ProducerOptions, TopicHandle } from '../port/kafka-client.ts';
import { Accumulator } from './accumulator.ts';
import { FailureLog } from './failure-log.ts';
import { IdempotentSequencing, UnsequencedPolicy } from './idempotent-sequencing.ts';
import { resolveProducerSettings } from './producer-settings.ts';
import { ProducerTopics } from './producer-topics.ts';
import { Sender } from './sender.ts';

/** The producer of at-least-once: batches by partition, sends in the background, keeps the order. */
export class BatchingProducer implements Producer {
  readonly #cluster: Cluster;
  readonly #accumulator: Accumulator;
  readonly #sender: Sender;
  readonly #topics: ProducerTopics;
  readonly #failures = new FailureLog();
  #closed = false;

  constructor(cluster: Cluster, options: ProducerOptions = {}) {
    this.#cluster = cluster;
    const settings = resolveProducerSettings(options);
    this.#accumulator = new Accumulator({ ...settings, clock: cluster.clock, onReady: (queue) => this.#sender.add(queue) });
    this.#topics = new ProducerTopics(cluster, this.#accumulator, settings.compression);
    const policy = settings.idempotent
      ? new IdempotentSequencing(cluster, this.#failures, (error) => this.#onIdentity(error))
      : new UnsequencedPolicy(this.#failures);
    this.#sender = new Sender({
      ...settings,
      cluster,
      policy,
      accumulator: this.#accumulator,
      transactionalId: undefined,
      maxInFlightPerPartition: settings.idempotent ? settings.maxInFlight : 1,
      versionMax: () => Infinity,
    });
  }

  #onIdentity(error: StreamsError | undefined): void {
    if (error === undefined) this.#sender.kick();
    else this.#sender.failWaiting(error);
  }

  topic(name: string): Promise<TopicHandle> {
    return this.#topics.find(name);
  }

  knownTopic(name: string): TopicHandle | undefined {
    return this.#topics.known(name);
  }

  append(
    topic: TopicHandle,
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
    if (this.#closed) throw new CancelledError('the producer is closed');
    this.#accumulator.append(topic, partition, timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
  }

  get backPressure(): boolean {
    return this.#accumulator.backPressure;
  }

  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes;
  }

  drained(signal?: AbortSignal): Promise<void> {
    return this.#accumulator.drained(signal);
  }

  endOffset(topic: string, partition: number): number {
    return this.#topics.endOffset(topic, partition);
  }

  takeFailure(): ProduceFailure | undefined {
    return this.#failures.take();
  }

  async flush(): Promise<void> {
    await this.#accumulator.flushed();
    const error: StreamsError | undefined = this.#failures.takeForFlush();
    if (error !== undefined) throw error;
  }

  async close(abandon = false): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (!abandon) await this.flush();
    } finally {
      this.#sender.close();
      this.#accumulator.close();
      this.#cluster.openParts.delete(this);
    }
  }
}
