import { FatalStreamsError, type Cancel, type Clock, type Headers, type StreamsError } from '@millrace/core';
import { recordBytesMax } from '@millrace/wire';
import type { TopicHandle } from '../port/kafka-client.ts';
import type { BatchSpill } from '../port/batch-spill.ts';
import { BatchOverflow } from './batch-overflow.ts';
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
  /** With a `spill`: most that waits in memory. */
  readonly memoryBytes: number;
  /** Where complete batches go that memory has no room for. Undefined: they stay in memory. */
  readonly spill: BatchSpill | undefined;
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
/** Of the memory, the part of batches that are being filled: many partitions with a little each are much, too. */
const OPEN_SHARE = 0.25;

/**
 * Collects records into one open batch per partition. Appending is synchronous and makes no object: the record's bytes go
 * straight into the batch.
 *
 * Source: Kafka `RecordAccumulator`; differs: the caller is told about back-pressure instead of being blocked.
 */
export class Accumulator {
  readonly #options: AccumulatorOptions;
  readonly #topics = new Map<string, ProducerTopic>();
  readonly #pool: BuilderPool;
  readonly #overflow: BatchOverflow;
  /** Beyond this all open batches are completed. */
  readonly #openBytesMax: number;
  /** From so many buffered bytes on, open batches may be more than that. */
  #lookAtBytes: number;
  /** Queues with an open batch, in the order in which these were opened. */
  readonly #open = new Set<PartitionQueue>();
  readonly #outstanding = new Set<OutgoingBatch>();
  #bufferedBytes = 0;
  #nextOrdinal = 0;
  #cancelLinger: Cancel | undefined;
  #drainWaiters: (() => void)[] = [];
  /** Why what was appended is not complete. */
  #failure: StreamsError | undefined;

  constructor(options: AccumulatorOptions) {
    const { spill, memoryBytes, batchBytes } = options;
    this.#options = options;
    this.#openBytesMax = spill === undefined ? Infinity : memoryBytes * OPEN_SHARE;
    this.#lookAtBytes = this.#openBytesMax;
    this.#overflow = new BatchOverflow(spill, memoryBytes * (1 - OPEN_SHARE));
    this.#pool = new BuilderPool({
      initialBytes: INITIAL_BUILDER_BYTES,
      batchBytes,
      keptMax: Math.min(KEPT_BUILDERS_MAX, Math.ceil(memoryBytes / batchBytes)),
    });
  }

  /** Bytes of all records that are not acknowledged yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get backPressure(): boolean {
    return this.#bufferedBytes > this.#options.bufferBytes || this.#overflow.isInUse;
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

  /** @throws FatalStreamsError, from the failure of a batch that could not be put aside until {@link clear} */
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
    if (this.#bufferedBytes > this.#lookAtBytes) this.#boundOpen();
  }

  #boundOpen(): void {
    if (this.#bufferedBytes - this.#overflow.completeBytes > this.#openBytesMax) this.closeAll();
    this.#lookAtBytes = this.#overflow.completeBytes + this.#openBytesMax;
  }

  #openBatch(queue: PartitionQueue): OutgoingBatch {
    this.#throwFailure();
    const batch = new OutgoingBatch(this.#pool.take(), this.#options.clock.monotonicMs(), this.#nextOrdinal++);
    this.#bufferedBytes += batch.bufferedBytes;
    this.#outstanding.add(batch);
    queue.open = batch;
    this.#open.add(queue);
    if (this.#cancelLinger === undefined) this.#armLinger();
    return batch;
  }

  #close(queue: PartitionQueue): void {
    const batch = queue.close();
    this.#open.delete(queue);
    if (batch !== undefined) this.#makeRoom(batch, queue);
    this.#options.onReady(queue);
  }

  #makeRoom(batch: OutgoingBatch, queue: PartitionQueue): void {
    try {
      const builder = this.#overflow.onComplete(batch, queue);
      if (builder !== undefined) this.#pool.giveBack(builder);
    } catch (error) {
      // Thrown by the next append or flush: whoever completes batches may be a timer.
      this.#failure ??= error as StreamsError;
    }
  }

  /**
   * Makes sure that the records of a batch are in memory, because it is its turn.
   *
   * @returns false when they are lost: then nothing can be appended or flushed before {@link clear}
   */
  bringBack(batch: OutgoingBatch, queue: PartitionQueue): boolean {
    if (!batch.isAside) return true;
    try {
      this.#overflow.bringBack(batch, queue, this.#pool.take());
      return true;
    } catch (error) {
      this.#failure ??= error as StreamsError;
      return false;
    }
  }

  /** Completes all open batches, so that they can be sent. */
  closeAll(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    for (const queue of this.#open) this.#close(queue);
  }

  /**
   * Resolves when everything appended so far has been acknowledged or given up.
   *
   * @throws FatalStreamsError when some of it could not be put aside, or did not come back
   */
  async flushed(): Promise<void> {
    this.closeAll();
    this.#throwFailure();
    const barrier = new FlushBarrier();
    for (const batch of this.#outstanding) batch.heldBy(barrier);
    barrier.arm();
    await barrier.done;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A part of a batch that was too large as a whole; it takes the place of the whole. */
  partOf(whole: OutgoingBatch, ordinal: number, ordinalSpan: number): OutgoingBatch {
    const part = new OutgoingBatch(this.#pool.take(), whole.waitsSinceMs, ordinal, ordinalSpan);
    this.#outstanding.add(part);
    return part;
  }

  /** Counts a part's bytes, once it is filled. */
  countPart(part: OutgoingBatch): void {
    this.#bufferedBytes += part.bufferedBytes;
    this.#overflow.onPart(part);
  }

  /** The batch is acknowledged, given up or dropped; its buffer is used again. */
  release(batch: OutgoingBatch): void {
    if (batch.isReleased) return;
    batch.isReleased = true;
    this.#outstanding.delete(batch);
    this.#bufferedBytes -= batch.bufferedBytes;
    this.#overflow.release(batch);
    this.#lookAtBytes = this.#overflow.completeBytes + this.#openBytesMax;
    if (!batch.isAside) this.#pool.giveBack(batch.builder);
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
    this.#failure = undefined;
  }

  /** Drops everything for good. */
  close(): void {
    this.clear();
    this.#overflow.close();
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
