import {
  bytes,
  type Clock,
  FatalStreamsError,
  ProcessingError,
  RetriableError,
  type Serde,
  type TopicPartition,
  topicPartitionKey,
} from '@millrace/core';
import type { CommittedOffset, FetchedPartition, OffsetCommit } from '@millrace/client';
import { consultHandler } from '../errors/consult-handler.ts';
import type { DeadLetter } from '../errors/dead-letter.ts';
import type { DeserializationErrorHandler, RawRecord } from '../errors/deserialization-error-handler.ts';
import type { ErrorDecision } from '../errors/error-decision.ts';
import type { ErrorHandlerContext } from '../errors/error-handler-context.ts';
import { decodeOffsetMetadata, decodeTopicId, type EmittedTimes, encodeOffsetMetadata } from './offset-metadata.ts';
import { PartitionGroup, type InputProgress } from './partition-group.ts';
import { RecordQueue, type RecordSource, type SkippedRecordListener, type TimestampLimit } from './record-queue.ts';
import type { TaskSettings } from './stream-task-options.ts';

export interface TaskInputsOptions {
  readonly settings: TaskSettings;
  readonly progress: InputProgress;
  readonly handler: DeserializationErrorHandler;
  readonly clock: Clock;
  readonly owner: InputOwner;
}

/** What the inputs need of the task they belong to. */
export interface InputOwner {
  readonly taskId: string;
  dropped(node: string, reason: string): void;
  sendDeadLetters(letters: readonly DeadLetter[] | undefined): void;
}

/** The input partitions of a task: their queues, what is committed of them, and what happens to records that cannot be taken. */
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
    const queue = new RecordQueue({
      topic,
      partition,
      source,
      defaultKeySerde: raw,
      defaultValueSerde: raw,
      listener: this,
      timestampLimit: this.#timestampLimit(),
    });
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

  /** The bytes of a record, as long as its queue stands at it. */
  rawRecord(topic: string, partition: number, offset: number): RawRecord | undefined {
    const queue = this.#queues.get(topicPartitionKey(topic, partition));
    return queue?.hasHead === true && queue.offset === offset ? queue.raw() : undefined;
  }

  // ---- records that cannot be taken ----

  /** The handler decides about the record; not when the serde says that it only cannot read it yet. */
  onUnreadable(queue: RecordQueue, part: 'key' | 'value', error: unknown): void {
    if (error instanceof RetriableError) {
      const reason = `the ${part} cannot be deserialised yet, it is tried again from the last commit: ${error.message}`;
      throw new RetriableError('DESERIALIZATION_NOT_YET', reason, { ...this.#placeOf(queue), cause: error });
    }
    if (this.#decide(queue, error) === 'continue') {
      this.#options.owner.dropped(queue.source.name, 'not deserialisable');
      return;
    }
    const serde = part === 'key' ? queue.source.keySerde : queue.source.valueSerde;
    throw new ProcessingError(
      'DESERIALIZATION_FAILED',
      `the ${part} cannot be deserialised with the ${serde?.name ?? 'bytes'} serde; give the topic the serde of its data, or set a deserialisation handler that skips such records`,
      { ...this.#placeOf(queue), cause: error },
    );
  }

  #timestampLimit(): TimestampLimit | undefined {
    const { settings, clock } = this.#options;
    const { maxTimestampAheadMs: maxAheadMs = 0 } = settings;
    if (maxAheadMs === 0) return undefined;
    return { maxAheadMs, clock, onExceeded: (queue, aheadMs) => this.#onFarAhead(queue, aheadMs, maxAheadMs) };
  }

  #onFarAhead(queue: RecordQueue, aheadMs: number, maxAheadMs: number): void {
    const error = new ProcessingError(
      'TIMESTAMP_TOO_FAR_AHEAD',
      `the timestamp ${queue.timestamp} is ${aheadMs} ms ahead of the wall clock, maxTimestampAheadMs allows ${maxAheadMs}: it would close windows before their time. ` +
        'Mend the clock that it comes from, raise the setting, or set a deserialisation handler that skips such records',
      this.#placeOf(queue),
    );
    if (this.#decide(queue, error) !== 'continue') throw error;
    this.#options.owner.dropped(queue.source.name, 'timestamp too far ahead');
  }

  /** Asks the handler, and writes the dead letters that it answers with. */
  #decide(queue: RecordQueue, error: unknown): ErrorDecision['decide'] {
    const { handler, owner, settings } = this.#options;
    const raw = queue.raw();
    const { timestamp, headers } = queue;
    const context = {
      ...this.#placeOf(queue),
      timestamp,
      headers,
      sourceRawKey: raw.key,
      sourceRawValue: raw.value,
      deadLetterTopic: settings.deadLetterTopic,
    };
    const { decide, deadLetters } = consultHandler('deserialisation', context, error, () => handler.handle(context, raw, error));
    owner.sendDeadLetters(deadLetters);
    return decide;
  }

  #placeOf({ topic, partition, offset, source }: RecordQueue): RecordPlace {
    return { taskId: this.#options.owner.taskId, node: source.name, topic, partition, offset };
  }

  onNegativeTimestamp(queue: RecordQueue): void {
    this.#options.owner.dropped(queue.source.name, 'negative timestamp');
  }
}

type RecordPlace = Pick<ErrorHandlerContext, 'taskId' | 'node' | 'partition' | 'offset'> & { readonly topic: string };

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
