import { FatalStreamsError, formatTaskId, type TaskId, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, OffsetCommit } from '@millrace/client';
import type { AsyncWork } from '../async/async-work.ts';
import { logAndFailDeserialization } from '../errors/deserialization-error-handler.ts';
import { emittedTimes, resumeEmission } from '../task-state/emitted-times.ts';
import type { TaskChangelog, TaskDatabases, TaskState } from '../task-state/task-state.ts';
import { decodeEmittedTimes } from './offset-metadata.ts';
import { FailureLatch } from './failure-latch.ts';
import type { RecordQueue, RecordSource } from './record-queue.ts';
import type { StreamTaskOptions } from './stream-task-options.ts';
import { TaskInputs } from './task-inputs.ts';
import type { TaskMetrics } from './task-metrics.ts';
import { TaskNodes } from './task-nodes.ts';
import { openTaskParts, type TaskParts } from './task-parts.ts';

/** Records between two looks at the clock. */
const RECORDS_PER_CLOCK_CHECK = 64;

/**
 * One sub-topology over one partition number: its input queues, its nodes and its state.
 *
 * Life: `open` → `applyRestored`… → `finishRestore` → `initializeInput` → (`enqueue`, `process`, `punctuate`, commit)… → `close`.
 *
 * A commit, in this order; whoever calls waits for `settling` after the second and calls it again while `hasUnflushed`:
 * `process` has returned → `flushCaches` → `prepareCommit` → everything appended is acknowledged and `committableOffsets` are
 * committed → `completeCommit`. If Kafka did not commit: `rollback`, then `initializeInput` and fetch again from there. While
 * `completeCommit` writes, the next records may be processed already.
 *
 * Everything runs synchronously on one thread except where user code returned a promise: `pending` then says what to wait for.
 * After an error the task refuses further work until it has been rolled back or closed.
 *
 * Source: Kafka Streams `StreamTask`.
 */
export class StreamTask {
  readonly id: TaskId;
  readonly taskId: string;
  readonly #options: StreamTaskOptions;
  readonly #metrics: TaskMetrics;
  readonly #state: TaskState;
  readonly #nodes: TaskNodes;
  readonly #inputs: TaskInputs;
  readonly #inputPartitions: TopicPartition[];
  readonly #failure: FailureLatch;
  #isRestored = false;
  #worked = false;
  #hasUnflushed = false;
  #committing: readonly OffsetCommit[] = [];

  private constructor(options: StreamTaskOptions, parts: TaskParts) {
    const { settings, progress, components } = options;
    this.id = options.id;
    this.taskId = formatTaskId(options.id);
    this.#options = options;
    this.#inputPartitions = [...options.inputPartitions];
    this.#metrics = parts.metrics;
    this.#state = parts.state;
    this.#nodes = new TaskNodes(options, {
      ...parts,
      readSource: (topic, partition, offset) => this.#inputs.rawRecord(topic, partition, offset),
      streamTimeMs: () => this.#inputs.group.streamTime,
    });
    this.#failure = new FailureLatch(this.#nodes.pending);
    const handler = components.onDeserializationError ?? logAndFailDeserialization(components.logger);
    this.#inputs = new TaskInputs({ settings, progress, handler, clock: components.clock, owner: this.#nodes });
  }

  /**
   * Opens the local state. Nodes are made by {@link finishRestore}, because their `init` may read stores.
   *
   * @param parts the state of a standby task that becomes this one, with what has been applied to it; it is the task's from now on
   * @throws RetriableError `STATE_LOCKED`, TaskCorruptedError: see {@link TaskState.open}
   */
  static async open(options: StreamTaskOptions, parts?: TaskParts): Promise<StreamTask> {
    return new StreamTask(options, parts ?? (await openTaskParts(options)));
  }

  // ---- restore ----

  /** The changelogs to restore from, and where to begin. */
  changelogs(): TaskChangelog[] {
    return this.#state.changelogs();
  }

  /** Takes from committed offsets which windows have been emitted: before restoring, so that what is not needed is left out. */
  resumeEmission(offsets: readonly CommittedOffset[]): void {
    const times = offsets.map(({ metadata }) => decodeEmittedTimes(metadata));
    resumeEmission(this.#state.stores, times);
  }

  /** Applies fetched changelog records, those before `endOffset` if there is one; returns how many. */
  applyRestored(fetched: FetchedPartition, endOffset?: number): Promise<number> {
    return this.#state.applyRestored(fetched, endOffset);
  }

  /** The state is restored: looks up the topics written to, makes and initialises the nodes. */
  async finishRestore(): Promise<void> {
    await this.#state.finishRestore();
    this.#isRestored = true;
    await Promise.all([this.#state.connect(this.#options.appender), this.#nodes.connect()]);
    this.#nodes.open();
    for (const input of this.#inputPartitions) this.#inputs.add(input, this.#sourceOf(input.topic));
  }

  /** Sum of the stored changelog offsets: tells others how much of the state is here. */
  changelogOffsetSum(): number {
    return this.#state.changelogOffsetSum;
  }

  // ---- input ----

  get inputPartitions(): readonly TopicPartition[] {
    return this.#inputPartitions;
  }

  /**
   * Takes over committed offsets, and what stands in their metadata: stream time, and which windows have been emitted. Drops
   * what waits in the queues.
   */
  initializeInput(offsets: readonly CommittedOffset[]): void {
    this.#inputs.initialize(offsets);
    this.resumeEmission(offsets);
  }

  /** Adds a partition of a topic that matches a pattern and has come up while the task runs; nothing of it is committed. */
  addInput(input: TopicPartition): void {
    this.#inputs.add(input, this.#sourceOf(input.topic));
    this.#inputPartitions.push(input);
  }

  #sourceOf(topic: string): RecordSource {
    const source = this.#nodes.source(topic);
    if (source === undefined)
      throw new FatalStreamsError('BUG', `no source node of task ${this.taskId} reads this topic`, { topic });
    return source;
  }

  /** Adds fetched records behind those that wait. The batches belong to the task until they have been processed. */
  enqueue(fetched: FetchedPartition): void {
    this.#failure.assertOpen();
    try {
      this.#inputs.enqueue(fetched);
    } catch (error) {
      throw this.#failure.fail(error);
    }
  }

  /** What waits in the input partitions, and which of them should be fetched. */
  get input(): Pick<TaskInputs, 'bufferedBytes' | 'isFull' | 'hasRoom'> {
    return this.#inputs;
  }

  /** True when {@link process} would process something: records are there, and inputs without any have been waited for. */
  processable(nowMs: number): boolean {
    const { pending, asyncWork } = this.#nodes;
    return pending.promise === undefined && !asyncWork.isFull && this.#inputs.group.isReady(nowMs);
  }

  /** True when records wait, ready or not. */
  get hasRecords(): boolean {
    return this.#inputs.group.hasRecords;
  }

  /** When the task has something to do although nothing arrives: `nowMs` at once, Infinity never. */
  nextWakeUpMs(nowMs: number): number {
    if (this.#nodes.asyncWork.isReady || this.processable(nowMs)) return nowMs;
    if (this.#nodes.asyncWork.isFull) return this.#nodes.nextWallClockMs;
    return Math.min(this.#nodes.nextWallClockMs, this.#inputs.group.idleDeadlineMs(nowMs));
  }

  /**
   * Processes records until one of: `maxRecords`, the deadline, no record ready, user code returned a promise (see
   * {@link pending}) or asked for a commit, an asynchronous operator holds as much as it may, or the producer cannot take more.
   *
   * @param deadlineMonotonicMs checked every 64 records
   * @returns how many records were processed
   * @throws ProcessingError and whatever else stops the task
   */
  process(maxRecords: number, deadlineMonotonicMs: number): number {
    this.#failure.assertOpen();
    const { clock } = this.#options.components;
    const nowMs = clock.nowMs();
    if (!this.processable(nowMs)) return 0;
    let processed = 0;
    try {
      while (processed < maxRecords) {
        const queue = this.#inputs.group.take();
        if (queue === undefined) break;
        this.#processHead(queue);
        processed++;
        if (this.#mustPause()) break;
        if (!queue.hasHead && !this.#inputs.group.isReady(nowMs)) break;
        if (processed % RECORDS_PER_CLOCK_CHECK === 0 && clock.monotonicMs() >= deadlineMonotonicMs) break;
      }
    } catch (error) {
      throw this.#failure.fail(error);
    } finally {
      this.#metrics.processed.add(processed);
    }
    return processed;
  }

  #processHead(queue: RecordQueue): void {
    const { headers, timestamp } = queue;
    this.#worked = true;
    this.#nodes.recordContext.set(queue.topic, queue.partition, queue.offset, timestamp, headers);
    queue.source.process(queue.key, queue.value, timestamp, headers, queue.oldValue, true);
    queue.advance();
  }

  #mustPause(): boolean {
    const { pending, asyncWork, commitRequested } = this.#nodes;
    return pending.promise !== undefined || asyncWork.isFull || commitRequested || this.#options.appender.backPressure;
  }

  /** Forwards the results of asynchronous operators that have come in, as far as the task need not wait in between. */
  forwardResults(): number {
    const { pending, asyncWork } = this.#nodes;
    const forwarded = this.#failure.guard(() => asyncWork.forward(() => pending.promise === undefined));
    if (forwarded > 0) this.#worked = true;
    return forwarded;
  }

  /** What asynchronous operators have under way. */
  get asyncWork(): Pick<AsyncWork, 'held' | 'openCalls' | 'progress'> {
    return this.#nodes.asyncWork;
  }

  /** What the task waits for; it never rejects, the next call throws what went wrong. */
  get pending(): Promise<void> | undefined {
    return this.#nodes.pending.promise;
  }

  /** Fires what is due, first in stream time, then in wall-clock time. What remains behind a `pending` fires with the next call. */
  punctuate(): void {
    this.punctuateStreamTime();
    this.punctuateWallClock();
  }

  /** Fires what is due in stream time; true when something was. To be called again after a `pending`. */
  punctuateStreamTime(): boolean {
    this.#failure.assertOpen();
    // Called after each record in places: mostly there is nothing to do.
    return this.#nodes.isStreamTimeDue && this.#punctuated(() => this.#nodes.punctuateStreamTime());
  }

  /** Fires what is due in wall-clock time; true when something was. To be called again after a `pending`. */
  punctuateWallClock(): boolean {
    return this.#punctuated(() => this.#nodes.punctuateWallClock());
  }

  #punctuated(punctuate: () => boolean): boolean {
    const fired = this.#failure.guard(punctuate);
    if (fired) this.#worked = true;
    return fired;
  }

  // ---- commit ----

  /** True when user code has asked for a commit. */
  get commitRequested(): boolean {
    return this.#nodes.commitRequested;
  }

  /** True when something has been done, or positions have moved, since the last commit. */
  get commitNeeded(): boolean {
    return this.#worked || this.#inputs.moved;
  }

  /** Bytes held by uncommitted rows: a large number asks for a commit. */
  get dirtyBytes(): number {
    return this.#state.dirtyBytes;
  }

  /** Forwards what asynchronous operators and, once these hold nothing more, what record caching holds back. */
  flushCaches(): void {
    const { asyncWork } = this.#nodes;
    if (asyncWork.held > 0) this.forwardResults();
    if (asyncWork.held === 0) this.#flushState();
    this.#hasUnflushed = this.pending !== undefined || asyncWork.held > 0;
  }

  #flushState(): void {
    this.#failure.assertOpen();
    try {
      this.#state.flushCaches();
    } catch (error) {
      throw this.#failure.fail(error);
    }
  }

  /** True when asynchronous work goes on, or may have filled the caches again: wait for `settling`, then flush once more. */
  get hasUnflushed(): boolean {
    return this.#hasUnflushed;
  }

  /** What a commit waits for before it flushes again; `undefined` when it need not wait. Never rejects. */
  get settling(): Promise<void> | undefined {
    const { pending, asyncWork } = this.#nodes;
    return pending.promise ?? (asyncWork.held > 0 && !asyncWork.isReady ? asyncWork.progress : undefined);
  }

  /** Appends the changelog records of the commit, and takes down its offsets. Nothing of the task waits. */
  prepareCommit(): void {
    this.#failure.assertOpen();
    try {
      this.#state.prepareCommit();
      this.#committing = this.#inputs.prepareCommit(emittedTimes(this.#state.stores));
    } catch (error) {
      throw this.#failure.fail(error);
    }
    this.#nodes.commitRequested = false;
    this.#worked = false;
  }

  /** The offsets of the commit that {@link prepareCommit} has prepared. */
  committableOffsets(): readonly OffsetCommit[] {
    return this.#committing;
  }

  /**
   * Kafka has committed: writes the commit to the local database. `undefined`: that is done already. Rejects with
   * TaskCorruptedError when it failed: Kafka is ahead of the local state, which is to be restored.
   */
  completeCommit(): Promise<void> | undefined {
    this.#inputs.confirmCommit();
    return this.#state.completeCommit(this.#committing)?.catch((error: unknown) => {
      throw this.#failure.fail(error);
    });
  }

  /**
   * Kafka has not committed: state, times and nodes go back to the last commit; records are expected from there. Nothing may
   * be `pending`: user code that is still running would write to the state that was rolled back.
   *
   * @throws TaskCorruptedError when a commit could not be written to the local state: it is to be opened anew, and restored
   */
  rollback(): void {
    this.#failure.reset();
    this.#worked = false;
    this.#committing = [];
    this.#nodes.close();
    this.#state.rollback();
    this.#nodes.open();
    this.#inputs.rollback((topic) => this.#sourceOf(topic));
  }

  /** Up to where a store holds what is in a partition of the input that serves as its changelog; `undefined`: nothing. */
  sourceOffset(store: string, partition: number): number | undefined {
    return this.#state.sourceOffset(store, partition);
  }

  /** The next offset of an input as of the last local commit; `undefined` when none is stored. */
  storedInputOffset(topic: string, partition: number): number | undefined {
    return this.#state.storedInputOffset(topic, partition);
  }

  // ---- stores and end ----

  /** For queries and tests, which must not change it. */
  get state(): TaskState {
    return this.#state;
  }

  /**
   * Closes nodes and state; what is uncommitted is lost. The state is released even when a node fails to close.
   *
   * @param options.clean false when the task is given up after an error: what nodes throw while closing is only logged then
   */
  async close({ clean }: { readonly clean: boolean }): Promise<void> {
    try {
      this.#closeNodes(clean);
      if (clean && !this.#isRestored) await this.#state.flushRestored();
    } finally {
      await this.#state.close();
    }
  }

  /** Closes nodes and stores, and hands over the databases, which stay open. Everything is committed and written. */
  async detach(): Promise<TaskDatabases> {
    this.#closeNodes(false);
    if (!this.#isRestored) await this.#state.flushRestored();
    return this.#state.detach();
  }

  #closeNodes(clean: boolean): void {
    this.#failure.close(new FatalStreamsError('TASK_CLOSED', 'the task is closed', { taskId: this.taskId }));
    try {
      this.#nodes.close();
    } catch (error) {
      if (clean) throw error;
      this.#options.components.logger.warn('a node could not be closed', { taskId: this.taskId, error });
    }
  }
}
