import {
  assert,
  FatalStreamsError,
  TaskMigratedError,
  topicPartitionKey,
  type Logger,
  type TopicPartition,
} from '@millrace/core';
import type { CommittedOffset, Fetcher, FetchFailure, KafkaClient, OffsetCommit } from '@millrace/client';
import type { PlacementProbe } from '../copartition/placement-probe.ts';
import type { OffsetReset, RecreatedInputPolicy } from '../settings/settings.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { InputTopics } from './input-topics.ts';
import type { TaskSet } from './task-set.ts';

export interface InputOptions {
  readonly client: KafkaClient;
  readonly groupId: string;
  readonly logger: Logger;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Input kept over all partitions, see `StreamsSettings`. */
  readonly inputBufferMaxBytes: number;
  /** The reset policy of a topic. */
  readonly offsetReset: (topic: string) => OffsetReset;
  readonly onRecreatedInput: RecreatedInputPolicy;
  /** True for repartition topics. */
  readonly isInternal: (topic: string) => boolean;
  /** Sees everything that was fetched. */
  readonly probe?: Pick<PlacementProbe, 'observe'>;
}

/** An offset of the last commit, and the topic to which it belongs. */
interface ExpectedOffset {
  readonly offset: number;
  readonly topicId: string | undefined;
}

/** Committed offsets by partition, see `topicPartitionKey`. */
export type CommittedOffsets = ReadonlyMap<string, CommittedOffset>;

/**
 * A response stays in memory as long as one of its records waits, so responses are small: larger ones are not faster, and eight
 * input partitions of a fast topic would hold more in flight than the state that they build.
 */
const FETCH_SIZES = { partitionMaxBytes: 256 * 1024, maxBytes: 1024 * 1024 };

/** What the fetcher may hold of all input that is kept: at most this, and no more than this share. Unit bytes. */
const FETCHED_BYTES_MAX = 4 * 1024 * 1024;
const FETCHED_SHARE = 0.25;

/**
 * Brings fetched records to the tasks: positions, back-pressure, and what happens when a position does not exist.
 */
export class Input {
  readonly fetcher: Fetcher;
  readonly #options: InputOptions;
  readonly #topics: InputTopics;
  /** The offset of the last commit by partition. */
  readonly #expected = new Map<string, ExpectedOffset>();
  /** What the queues of all partitions may hold together. */
  readonly #queuedBytesMax: number;
  /** Partitions whose queue was full when last looked at, or that had something while all queues together were. */
  readonly #paused = new Map<string, { readonly task: StreamTask; readonly at: TopicPartition }>();

  constructor(options: InputOptions) {
    this.#options = options;
    const { logger, onRecreatedInput, isInternal } = options;
    const { admin } = options.client;
    const resetOffset = (at: TopicPartition, signal: AbortSignal): Promise<number> => this.#resetOffset(at, signal, undefined);
    this.#topics = new InputTopics({ admin, logger, onRecreatedInput, isInternal, resetOffset });
    const maxBufferedBytes = Math.min(FETCHED_BYTES_MAX, Math.floor(options.inputBufferMaxBytes * FETCHED_SHARE));
    this.#queuedBytesMax = options.inputBufferMaxBytes - maxBufferedBytes;
    this.fetcher = options.client.createFetcher({
      lane: 'fetch',
      isolation: options.isolation,
      ...FETCH_SIZES,
      maxBufferedBytes,
    });
  }

  /**
   * The committed offsets of all inputs of the tasks, once no transaction on them is undecided. What such a transaction wrote
   * to changelogs is in the log by then: ask before a changelog's end is taken for the end of the state.
   */
  async committedOffsets(tasks: readonly StreamTask[], signal: AbortSignal): Promise<CommittedOffsets> {
    const partitions = tasks.flatMap((task) => task.inputPartitions);
    const found = partitions.length === 0 ? [] : await this.#committed(partitions, signal);
    return new Map(found.map((one) => [topicPartitionKey(one.topic, one.partition), one]));
  }

  /** Starts reading the inputs of a task at its committed offsets. */
  async open(task: StreamTask, offsets: CommittedOffsets, signal: AbortSignal): Promise<void> {
    const committed = task.inputPartitions.map(({ topic, partition }) => {
      const one = offsets.get(topicPartitionKey(topic, partition));
      assert(one !== undefined, `the committed offset of ${topic}-${partition} was not read`);
      return one;
    });
    for (const at of await this.#positions(task, committed, signal)) {
      const topicId = this.#topics.idOf(at);
      this.#expected.set(topicPartitionKey(at.topic, at.partition), { offset: at.offset, topicId });
      this.fetcher.assign(at.topic, at.partition, at.offset, topicId);
    }
  }

  /** Takes note of what was committed. */
  committed(offsets: readonly OffsetCommit[]): void {
    for (const { topic, partition, offset } of offsets) {
      const key = topicPartitionKey(topic, partition);
      this.#expected.set(key, { offset, topicId: this.#expected.get(key)?.topicId });
    }
  }

  /**
   * Goes back to the committed offsets; what was queued has been dropped by the task.
   *
   * @throws TaskMigratedError when Kafka's offsets are not those of this worker's last commit: then its state is another, too
   */
  async reopen(task: StreamTask, signal: AbortSignal): Promise<void> {
    this.#forgetPaused(task);
    const committed = await this.#committed(task.inputPartitions, signal);
    for (const at of await this.#positions(task, committed, signal)) {
      const key = topicPartitionKey(at.topic, at.partition);
      const expected = this.#expected.get(key);
      const topicId = this.#topics.idOf(at);
      if (expected !== undefined && expected.offset !== at.offset && !isAnother(expected.topicId, topicId)) {
        throw movedOn(task, at, expected.offset);
      }
      this.#expected.set(key, { offset: at.offset, topicId });
      this.fetcher.seek(at.topic, at.partition, at.offset, topicId);
      this.fetcher.resume(at.topic, at.partition);
    }
  }

  /** Stops reading the inputs of a task, if that had begun: a task that was still being restored has none. */
  close(task: StreamTask): void {
    this.#forgetPaused(task);
    for (const { topic, partition } of task.inputPartitions) {
      if (this.#expected.delete(topicPartitionKey(topic, partition))) this.fetcher.unassign(topic, partition);
    }
  }

  /** Hands everything that has arrived to the tasks. Returns true when there was something. */
  deliver(tasks: TaskSet): boolean {
    let delivered = false;
    let queued = this.fetcher.available ? queuedBytes(tasks) : 0;
    for (let fetched = this.fetcher.take(); fetched !== undefined; fetched = this.fetcher.take()) {
      delivered = true;
      const { topic, partition } = fetched;
      const task = tasks.reading(topic, partition);
      if (task === undefined) continue;
      void this.#options.probe?.observe(fetched);
      const before = task.input.bufferedBytes(topic, partition);
      task.enqueue(fetched);
      queued += task.input.bufferedBytes(topic, partition) - before;
      if (queued >= this.#queuedBytesMax || task.input.isFull(topic, partition)) {
        this.fetcher.pause(topic, partition);
        this.#paused.set(topicPartitionKey(topic, partition), { task, at: { topic, partition } });
      }
    }
    return delivered;
  }

  /**
   * Resumes partitions whose queues have room again: they are down to half, and so are all together. An empty queue is filled in
   * any case, since its task may wait for it before it takes records of the others.
   */
  resumeDrained(tasks: TaskSet): void {
    if (this.#paused.size === 0) return;
    const hasRoom = queuedBytes(tasks) * 2 <= this.#queuedBytesMax;
    for (const [key, { task, at }] of this.#paused) {
      const isEmpty = task.input.bufferedBytes(at.topic, at.partition) === 0;
      if (!isEmpty && !(hasRoom && task.input.hasRoom(at.topic, at.partition))) continue;
      this.#paused.delete(key);
      this.fetcher.resume(at.topic, at.partition);
    }
  }

  /** Acts on partitions that cannot be fetched: applies the reset policy, or throws. */
  async handleFailures(signal: AbortSignal): Promise<void> {
    for (const failure of this.fetcher.takeFailures()) await this.#handleFailure(failure, signal);
  }

  async #handleFailure(failure: FetchFailure, signal: AbortSignal): Promise<void> {
    const { topic, partition, position, reason } = failure;
    if (reason === 'corrupt' || reason === 'unauthorized') throw failure.error;
    const committed = this.#expected.get(topicPartitionKey(topic, partition))?.offset ?? -1;
    await this.#topics.assertSame(failure, committed, signal);
    // The same topic after all: a broker that heard late of a change said otherwise.
    if (reason !== 'offset-out-of-range') this.fetcher.seek(topic, partition, position);
    else await this.#leavePosition(failure, signal);
  }

  async #leavePosition(failure: FetchFailure, signal: AbortSignal): Promise<void> {
    const offset = await this.#resetOffset(failure, signal, failure.error);
    this.#options.logger.warn(
      'the committed offset does not exist any more; records between it and the new position are lost to this application',
      {
        topic: failure.topic,
        partition: failure.partition,
        position: failure.position,
        newPosition: offset,
      },
    );
    this.fetcher.seek(failure.topic, failure.partition, offset);
  }

  async #committed(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<CommittedOffset[]> {
    const { client, groupId } = this.#options;
    return this.#topics.adopt(await client.offsets.committed(groupId, partitions, signal), signal);
  }

  async #positions(
    task: StreamTask,
    committed: readonly CommittedOffset[],
    signal: AbortSignal,
  ): Promise<(TopicPartition & { readonly offset: number })[]> {
    task.initializeInput(committed);
    return Promise.all(
      committed.map(async ({ topic, partition, offset }) => ({
        topic,
        partition,
        offset: offset >= 0 ? offset : await this.#resetOffset({ topic, partition }, signal, undefined),
      })),
    );
  }

  async #resetOffset(at: TopicPartition, signal: AbortSignal, cause: unknown): Promise<number> {
    const policy = this.#options.offsetReset(at.topic);
    if (policy === 'none') {
      throw new FatalStreamsError(
        'NO_OFFSET',
        "there is no usable committed offset and the offset reset policy is 'none'; set the group's offsets, or another policy",
        {
          ...at,
          cause,
        },
      );
    }
    const offsets = await this.#options.client.offsets.list([at], policy === 'latest' ? 'latest-stable' : 'earliest', signal);
    return offsets.get(topicPartitionKey(at.topic, at.partition)) ?? 0;
  }

  #forgetPaused(task: StreamTask): void {
    for (const { topic, partition } of task.inputPartitions) this.#paused.delete(topicPartitionKey(topic, partition));
  }
}

/** True when the ids are those of two topics. One that is not known, as right after a broker has started, says nothing. */
function isAnother(former: string | undefined, now: string | undefined): boolean {
  return former !== undefined && now !== undefined && former !== now;
}

function movedOn(task: StreamTask, at: TopicPartition & { readonly offset: number }, expected: number): TaskMigratedError {
  return new TaskMigratedError(
    'OFFSETS_MOVED',
    `the committed offset is ${at.offset}, the last one of this worker is ${expected}; the task starts anew from its changelog`,
    {
      taskId: task.taskId,
      ...at,
    },
  );
}

function queuedBytes(tasks: TaskSet): number {
  let sum = 0;
  for (const task of tasks.running) {
    for (const { topic, partition } of task.inputPartitions) sum += task.input.bufferedBytes(topic, partition);
  }
  return sum;
}
