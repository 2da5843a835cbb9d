import type { Headers } from '@millrace/core';
import type { Cluster } from '../cluster/cluster.ts';
import type { TopicHandle } from '../port/kafka-client.ts';
import { Accumulator } from '../produce/accumulator.ts';
import { ProducerTopics } from '../produce/producer-topics.ts';
import { Sender } from '../produce/sender.ts';
import type { SequencePolicy } from '../produce/sequence-policy.ts';
import type { TransactionSettings } from './transaction-settings.ts';

export interface HeldRecordsParts {
  readonly cluster: Cluster;
  readonly settings: TransactionSettings;
  readonly policy: SequencePolicy;
  /** The highest version of Produce that the transaction may use at the moment. */
  readonly versionMax: () => number;
}

/**
 * The records of the open transaction: held back until the commit, or until more than `holdBackBytes` of them are waiting.
 * Nothing is sent unless its owner says so.
 */
export class HeldRecords {
  readonly topics: ProducerTopics;
  readonly #accumulator: Accumulator;
  readonly #sender: Sender;
  readonly #holdBackBytes: number;
  /** Buffered bytes from which on records are not held back any longer. */
  #releaseAtBytes: number;

  constructor({ cluster, settings, policy, versionMax }: HeldRecordsParts) {
    this.#holdBackBytes = settings.holdBackBytes;
    this.#releaseAtBytes = settings.holdBackBytes;
    this.#accumulator = new Accumulator({
      ...settings,
      clock: cluster.clock,
      lingerMs: undefined,
      onReady: (queue) => this.#sender.add(queue),
    });
    this.topics = new ProducerTopics(cluster, this.#accumulator, settings.compression);
    this.#sender = new Sender({
      ...settings,
      cluster,
      policy,
      accumulator: this.#accumulator,
      acks: -1,
      maxInFlightPerPartition: settings.maxInFlight,
      versionMax,
    });
    this.#sender.pause();
  }

  /** Returns true when so much is waiting that it should be released. */
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
  ): boolean {
    this.#accumulator.append(topic, partition, timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
    return this.#accumulator.bufferedBytes > this.#releaseAtBytes;
  }

  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes;
  }

  get backPressure(): boolean {
    return this.#accumulator.backPressure;
  }

  /** True while more is waiting than is to be held back, released or not. */
  get exceedsHoldBack(): boolean {
    return this.#accumulator.bufferedBytes > this.#holdBackBytes;
  }

  /** Completes the batches there are, and again for every further `holdBackBytes`. They go out unless sending is to wait. */
  release(maySend: boolean): void {
    this.#releaseAtBytes = this.#accumulator.bufferedBytes + this.#holdBackBytes;
    this.#accumulator.closeAll();
    if (maySend) this.#sender.resume();
  }

  /** Resolves when `backPressure` is false. */
  drained(signal: AbortSignal | undefined): Promise<void> {
    return this.#accumulator.drained(signal);
  }

  /** Sends everything; resolves when each record is acknowledged or given up. Then records are held back again. */
  async sendAll(): Promise<void> {
    this.#sender.resume();
    await this.#accumulator.flushed();
    this.#sender.pause();
  }

  /** What stood in the way of a batch is gone. */
  kick(): void {
    this.#sender.kick();
  }

  /** The transaction has ended: the next one may fill up to `holdBackBytes` again. */
  startOver(): void {
    this.#releaseAtBytes = this.#holdBackBytes;
  }

  /** Drops everything, also what is in flight: who waits for acknowledgements waits no longer. */
  drop(): void {
    this.startOver();
    this.#sender.pause();
    this.#sender.clear();
    this.#accumulator.clear();
  }

  close(): void {
    this.#sender.close();
    this.#accumulator.close();
  }
}
