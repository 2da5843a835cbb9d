import { bytes, FatalStreamsError, ProcessingError, type Serde, type TopicPartition, topicPartitionKey } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, OffsetCommit } from '@millrace/client';
import { consultHandler } from '../errors/consult-handler.ts';
import type { DeserializationErrorHandler } from '../errors/deserialization-error-handler.ts';
import { decodeOffsetMetadata, decodeTopicId, type EmittedTimes, encodeOffsetMetadata } from './offset-metadata.ts';
import { PartitionGroup, type InputProgress } from './partition-group.ts';
import { RecordQueue, type RecordSource, type SkippedRecordListener } from './record-queue.ts';
import type { TaskSettings } from './stream-task-options.ts';

export interface TaskInputsOptions {
  readonly settings: TaskSettings;
  readonly progress: InputProgress;
  readonly handler: DeserializationErrorHandler;
  readonly owner: InputOwner;
}

/** What the inputs need of the task they belong to. */
export interface InputOwner {
  readonly taskId: string;
  dropped(node: string, reason: string): void;
}

/** The input partitions of a task: their queues, what is committed of them, and what happens to unreadable records. */
export class TaskInputs implements SkippedRecordListener {
  readonly group: PartitionGroup;
  readonly #options: TaskInputsOptions;
  /** By `topicPartitionKey`. */
  readonly #queues = new Map<string, RecordQueue>();

  constructor(options: TaskInputsOptions) {
    this.#options = options;
    const { settings, progress } = options;
    this.group = new PartitionGroup({
      maxTaskIdleMs: settings.maxTaskIdleMs,
      readCommitted: settings.guarantee === 'exactly_once_v2',
      progress,
    });
  }

  add({ topic, partition }: TopicPartition, source: RecordSource): void {
    const raw = bytes() as Serde<unknown>;
    const queue = new RecordQueue({ topic, partition, source, defaultKeySerde: raw, defaultValueSerde: raw, listener: this });
    this.#queues.set(topicPartitionKey(topic, partition), queue);
    this.group.add(queue);
  }

  /** Takes over the committed offsets, with the partition times and topic ids that stand in their metadata. Drops what waits. */
  initialize(offsets: readonly CommittedOffset[]): void {
    for (const { topic, partition, offset, metadata } of offsets) {
      const queue = this.#queue(topic, partition);
      queue.committed(offset >= 0 ? offset : undefined, decodeOffsetMetadata(metadata));
      queue.topicId = decodeTopicId(metadata);
    }
    this.group.rollback();
  }

  enqueue(fetched: FetchedPartition): void {
    this.group.enqueue(this.#queue(fetched.topic, fetched.partition), fetched);
  }

  bufferedBytes(topic: string, partition: number): number {
    return this.#queue(topic, partition).bufferedBytes;
  }

  /** True when the partition holds so much that fetching should pause. */
  isFull(topic: string, partition: number): boolean {
    return this.#queue(topic, partition).bufferedBytes >= this.#options.settings.bufferedBytesPerPartition;
  }

  /** True when a paused partition should be fetched again: it is down to half. */
  hasRoom(topic: string, partition: number): boolean {
    return this.#queue(topic, partition).bufferedBytes * 2 <= this.#options.settings.bufferedBytesPerPartition;
  }

  /** True when positions have moved since the last commit, be it only over markers. */
  get moved(): boolean {
    for (const queue of this.group.queues) if (queue.nextOffset !== queue.committedOffset) return true;
    return false;
  }

  /**
   * What to commit now; partitions of which nothing is known yet are left out.
   *
   * @param emitted goes into the metadata of every offset
   */
  prepareCommit(emitted: EmittedTimes): OffsetCommit[] {
    const commits: OffsetCommit[] = [];
    for (const queue of this.group.queues) {
      queue.prepareCommit();
      const { nextOffset } = queue;
      if (nextOffset !== undefined) commits.push(new PreparedOffset(queue, nextOffset, emitted));
    }
    return commits;
  }

  /** What {@link prepareCommit} gave is committed. */
  confirmCommit(): void {
    for (const queue of this.group.queues) queue.confirmCommit();
  }

  /** Drops what waits, goes back to the last commit, and connects each queue to the new node that reads it. */
  rollback(sourceOf: (topic: string) => RecordSource): void {
    this.group.rollback();
    for (const queue of this.#queues.values()) queue.connect(sourceOf(queue.topic));
  }

  #queue(topic: string, partition: number): RecordQueue {
    const queue = this.#queues.get(topicPartitionKey(topic, partition));
    if (queue !== undefined) return queue;
    throw new FatalStreamsError('BUG', 'the task does not read this partition', {
      taskId: this.#options.owner.taskId,
      topic,
      partition,
    });
  }

  // ---- unreadable records ----

  onUnreadable(queue: RecordQueue, part: 'key' | 'value', error: unknown): void {
    const { taskId } = this.#options.owner;
    const { topic, partition, offset, timestamp, headers } = queue;
    const node = queue.source.name;
    const context = { taskId, node, topic, partition, offset, timestamp, headers };
    const raw = { key: queue.rawKey(), value: queue.rawValue() };
    const { decide } = consultHandler('deserialisation', context, error, () => this.#options.handler.handle(context, raw, error));
    if (decide === 'continue') {
      this.#options.owner.dropped(node, 'not deserialisable');
      return;
    }
    const serde = part === 'key' ? queue.source.keySerde : queue.source.valueSerde;
    throw new ProcessingError(
      'DESERIALIZATION_FAILED',
      `the ${part} cannot be deserialised with the ${serde?.name ?? 'bytes'} serde; give the topic the serde of its data, or set a deserialisation handler that skips such records`,
      { taskId, topic, partition, offset, node, cause: error },
    );
  }

  onNegativeTimestamp(queue: RecordQueue): void {
    this.#options.owner.dropped(queue.source.name, 'negative timestamp');
  }
}

/** What to commit of a partition. Its metadata is encoded when somebody asks for it: a test driver does so only after a crash. */
class PreparedOffset implements OffsetCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly #partitionTime: number;
  readonly #topicId: string | undefined;
  readonly #emitted: EmittedTimes;

  constructor({ topic, partition, partitionTime, topicId }: RecordQueue, offset: number, emitted: EmittedTimes) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.#partitionTime = partitionTime;
    this.#topicId = topicId;
    this.#emitted = emitted;
  }

  get metadata(): string {
    return encodeOffsetMetadata(this.#partitionTime, this.#emitted, this.#topicId);
  }
}
