import { FatalStreamsError, type Cancel, type Clock, type Headers } from '@millrace/core';
import { recordBytesMax } from '@millrace/wire';
import type { TopicHandle } from '../port/kafka-client.ts';
import { BuilderPool } from './builder-pool.ts';
import { FlushBarrier } from './flush-barrier.ts';
import { OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { ProducerTopic } from './producer-topic.ts';

export interface AccumulatorOptions {
  readonly clock: Clock;
  /** A batch is closed before it would grow beyond this. */
  readonly batchBytes: number;
  /** Beyond this, `backPressure` says so. */
  readonly bufferBytes: number;
  /**
   * How long a batch waits for more records; undefined: until {@link Accumulator.closeAll}. When the oldest has waited that long
   * the others go with it, younger as they are: one request instead of several.
   */
  readonly lingerMs: number | undefined;
  /** A batch of the queue is complete and may be sent. */
  readonly onReady: (queue: PartitionQueue) => void;
}

/** What a record takes besides key, value and headers: an upper bound. */
const RECORD_OVERHEAD_BYTES = 31;
const INITIAL_BUILDER_BYTES = 4 * 1024;
const KEPT_BUILDERS_MAX = 128;

/**
 * Collects records into one open batch per partition. Appending is synchronous and makes no object: the record's bytes go
 * straight into the batch.
 *
 * Source: Kafka `RecordAccumulator`; differs: the caller is told about back-pressure instead of being blocked.
 */
export class Accumulator {
  readonly #options: AccumulatorOptions;
  readonly #topics = new Map<string, ProducerTopic>();
  readonly #pool = new BuilderPool(INITIAL_BUILDER_BYTES, KEPT_BUILDERS_MAX);
  /** Queues with an open batch, in the order in which these were opened. */
  readonly #open = new Set<PartitionQueue>();
  readonly #outstanding = new Set<OutgoingBatch>();
  #bufferedBytes = 0;
  #nextOrdinal = 0;
  #cancelLinger: Cancel | undefined;
  #drainWaiters: (() => void)[] = [];

  constructor(options: AccumulatorOptions) {
    this.#options = options;
  }

  /** Bytes of all records that are not acknowledged yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get backPressure(): boolean {
    return this.#bufferedBytes > this.#options.bufferBytes;
  }

  /** True while nothing is unacknowledged. */
  get isEmpty(): boolean {
    return this.#outstanding.size === 0;
  }

  get topics(): Iterable<ProducerTopic> {
    return this.#topics.values();
  }

  topic(name: string): ProducerTopic | undefined {
    return this.#topics.get(name);
  }

  /** Makes the queues of a topic, or returns those there are. */
  addTopic(name: string, partitions: number): ProducerTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new ProducerTopic(name, partitions);
      this.#topics.set(name, topic);
    }
    return topic;
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
    const queue = topic instanceof ProducerTopic ? topic.queues[partition] : undefined;
    if (queue === undefined) throw unknownPartition(topic, partition);
    let batch = queue.open;
    if (batch === undefined) batch = this.#openBatch(queue);
    else {
      const headerBytes = headers.length === 0 ? 0 : recordBytesMax(-1, -1, headers);
      const bytes = RECORD_OVERHEAD_BYTES + (keyEnd - keyStart) + (valueEnd - valueStart) + headerBytes;
      if (batch.builder.sizeInBytes + bytes > this.#options.batchBytes) {
        this.#close(queue);
        batch = this.#openBatch(queue);
      }
    }
    const builder = batch.builder;
    const before = builder.sizeInBytes;
    builder.append(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
    this.#bufferedBytes += builder.sizeInBytes - before;
  }

  #openBatch(queue: PartitionQueue): OutgoingBatch {
    const batch = new OutgoingBatch(this.#pool.take(), this.#options.clock.monotonicMs(), this.#nextOrdinal++);
    this.#bufferedBytes += batch.bufferedBytes;
    this.#outstanding.add(batch);
    queue.open = batch;
    this.#open.add(queue);
    if (this.#cancelLinger === undefined) this.#armLinger();
    return batch;
  }

  #close(queue: PartitionQueue): void {
    queue.close();
    this.#open.delete(queue);
    this.#options.onReady(queue);
  }

  /** Completes all open batches, so that they can be sent. */
  closeAll(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    for (const queue of this.#open) this.#close(queue);
  }

  /** Resolves when everything appended so far has been acknowledged or given up. */
  flushed(): Promise<void> {
    this.closeAll();
    const barrier = new FlushBarrier();
    for (const batch of this.#outstanding) batch.heldBy(barrier);
    barrier.arm();
    return barrier.done;
  }

  /** A part of a batch that was too large as a whole; it takes the place of the whole. */
  partOf(whole: OutgoingBatch, ordinal: number, ordinalSpan: number): OutgoingBatch {
    const part = new OutgoingBatch(this.#pool.take(), whole.openedAtMs, ordinal, ordinalSpan);
    this.#outstanding.add(part);
    return part;
  }

  /** Counts a part's bytes, once it is filled. */
  countPart(part: OutgoingBatch): void {
    this.#bufferedBytes += part.bufferedBytes;
  }

  /** The batch is acknowledged, given up or dropped; its buffer is used again. */
  release(batch: OutgoingBatch): void {
    if (batch.isReleased) return;
    batch.isReleased = true;
    this.#outstanding.delete(batch);
    this.#bufferedBytes -= batch.bufferedBytes;
    this.#pool.giveBack(batch.builder);
    batch.settle();
    if (!this.backPressure) this.#wakeDrained();
  }

  /** Drops everything, also what is in flight, and starts over with empty queues; topic handles stay valid. */
  clear(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    this.#open.clear();
    for (const topic of this.#topics.values()) topic.renew();
    for (const batch of this.#outstanding) this.release(batch);
  }

  /** Resolves when `backPressure` is false. */
  drained(signal: AbortSignal | undefined): Promise<void> {
    if (!this.backPressure || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done, { once: true });
      this.#drainWaiters.push(done);
    });
  }

  #wakeDrained(): void {
    if (this.#drainWaiters.length === 0) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const wake of waiters) wake();
  }

  #armLinger(): void {
    const { lingerMs, clock } = this.#options;
    if (lingerMs === undefined) return;
    this.#cancelLinger = clock.setTimer(lingerMs, () => {
      this.#cancelLinger = undefined;
      this.closeAll();
    });
  }
}

function unknownPartition(topic: TopicHandle, partition: number): FatalStreamsError {
  return new FatalStreamsError(
    'UNKNOWN_PARTITION',
    topic instanceof ProducerTopic
      ? `the topic has ${topic.partitions} partitions; check the partitioner`
      : 'the topic handle was not made by this producer; take it from its topic() method',
    { topic: topic.topic, partition },
  );
}
