import { formatTaskId, NO_HEADERS, ProcessingError, type RecordContext, StreamsError, type Logger } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import {
  TaskTopology,
  type AsyncLane,
  type AsyncOperator,
  type AsyncSettings,
  type Cancellable,
  type PunctuationType,
  type Punctuator,
  type SinkTarget,
  type SinkWriter,
  type TaskPort,
} from '@millrace/topology';
import { AsyncWork } from '../async/async-work.ts';
import { RecordCollector } from '../collector/record-collector.ts';
import { consultHandler } from '../errors/consult-handler.ts';
import type { DeadLetter } from '../errors/dead-letter.ts';
import type { ErrorHandlerContext } from '../errors/error-handler-context.ts';
import { readOnlyStores } from '../global/read-only-stores.ts';
import type { TaskState } from '../task-state/task-state.ts';
import { withDeadline } from './deadline.ts';
import { PendingWork } from './pending-work.ts';
import { PunctuationQueue } from './punctuation.ts';
import type { RecordSource } from './record-queue.ts';
import { type ReadSource, SourceRecords } from './source-records.ts';
import { logAndFailProcessing, type ProcessingErrorHandler } from '../errors/processing-error-handler.ts';
import { defaultProductionErrorHandler } from '../errors/production-error-handler.ts';
import type { StreamTaskOptions } from './stream-task-options.ts';
import type { TaskMetrics } from './task-metrics.ts';

/** What the nodes need to know of the task around them. */
export interface TaskSurroundings {
  readonly recordContext: RecordContext;
  readonly metrics: TaskMetrics;
  readonly state: TaskState;
  /** The name on the broker of a topic of the topology. */
  readonly resolveTopic: (name: string) => string;
  /** The bytes of an input record, as long as its queue stands at it. */
  readonly readSource: ReadSource;
  streamTimeMs(): number;
}

/**
 * The nodes of a task, and all that they see of it: stores, sinks, schedules, times, and who decides about their errors.
 *
 * After a failed commit the nodes are made anew, because their memory (observed stream time, fields of user code) is ahead
 * of the state that was rolled back.
 */
export class TaskNodes implements TaskPort {
  readonly applicationId: string;
  readonly taskId: string;
  readonly logger: Logger;
  readonly recordContext: RecordContext;
  readonly emitIntervalMs: number;
  readonly pending = new PendingWork();
  readonly asyncWork: AsyncWork;
  /** True when user code has asked for a commit. */
  commitRequested = false;

  readonly #options: StreamTaskOptions;
  readonly #surroundings: TaskSurroundings;
  readonly #collector: RecordCollector;
  readonly #sources: SourceRecords;
  readonly #handler: ProcessingErrorHandler;
  readonly #resolveTopic: (name: string) => string;
  readonly #streamTimeQueue = new PunctuationQueue();
  readonly #wallClockQueue = new PunctuationQueue();
  readonly #globalStores: ReadonlyMap<string, StateStore>;
  #topology: TaskTopology | undefined;

  constructor(options: StreamTaskOptions, surroundings: TaskSurroundings) {
    const { settings, components, appender } = options;
    this.#options = options;
    this.#surroundings = surroundings;
    this.applicationId = settings.applicationId;
    this.taskId = formatTaskId(options.id);
    this.logger = components.logger;
    this.recordContext = surroundings.recordContext;
    this.emitIntervalMs = settings.emitIntervalMs;
    this.#handler = components.onProcessingError ?? logAndFailProcessing(components.logger);
    this.#resolveTopic = surroundings.resolveTopic;
    this.#globalStores = readOnlyStores(options.globalStores);
    this.#sources = new SourceRecords(surroundings.recordContext, surroundings.readSource, asksForSources(options));
    this.asyncWork = new AsyncWork({
      clock: components.clock,
      recordContext: surroundings.recordContext,
      sources: this.#sources,
      onRetry: (node, { topic, partition, offset, attempt }, error) => {
        surroundings.metrics.countRetry(node);
        this.logger.debug('an asynchronous call failed and is made again', {
          taskId: this.taskId,
          node,
          topic,
          partition,
          offset,
          attempt,
          error,
        });
      },
      onProcessingError: (node, error, key, value) => this.onProcessingError(node, error, key, value),
    });
    this.#collector = new RecordCollector({
      appender,
      random: components.random,
      clock: components.clock,
      sent: surroundings.metrics.sent,
      handler: components.onProductionError ?? defaultProductionErrorHandler(components.logger),
      owner: this,
      errorContext: (node) => this.errorContext(node),
    });
  }

  /** Looks up the topics that sinks with a fixed topic write to, and that of dead letters. */
  async connect(): Promise<void> {
    const { subtopology, settings } = this.#options;
    const topics = [...subtopology.sinkTopics, ...subtopology.repartitionSinks].map(this.#resolveTopic);
    await this.#collector.connect(settings.deadLetterTopic === undefined ? topics : [...topics, settings.deadLetterTopic]);
  }

  /** Makes and initialises the nodes. */
  open(): void {
    this.recordContext.set(undefined, -1, -1, -1, NO_HEADERS);
    this.#topology = TaskTopology.create(this.#options.subtopology, this, this.#resolveTopic);
  }

  /** The node that reads a topic; `undefined` when none does. */
  source(topic: string): RecordSource | undefined {
    return this.#topology?.source(topic);
  }

  /** Closes the nodes, drops their schedules, and aborts what asynchronous operators have under way. */
  close(): void {
    this.asyncWork.abandon('the task was revoked, rolled back or closed: nobody wants the result any more');
    this.#streamTimeQueue.clear();
    this.#wallClockQueue.clear();
    this.commitRequested = false;
    this.pending.takeFailure();
    const topology = this.#topology;
    this.#topology = undefined;
    topology?.close();
  }

  // ---- what nodes see ----

  store(name: string): StateStore {
    const store = this.#surroundings.state.store(name) ?? this.#globalStores.get(name);
    if (store === undefined)
      throw new StreamsError('UNKNOWN_STORE', `the task has no store ${name}; add it to the topology`, {
        taskId: this.taskId,
        store: name,
      });
    return store;
  }

  sinkWriter(target: SinkTarget): SinkWriter {
    return this.#collector.writer(target);
  }

  schedule(node: string, intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    // Stream time begins at 0, so that the first record fires and the grid is the same whenever that comes.
    if (type === 'stream-time') return this.#streamTimeQueue.add(node, 0, intervalMs, punctuator);
    return this.#wallClockQueue.add(node, this.systemTimeMs() + intervalMs, intervalMs, punctuator);
  }

  requestCommit(): void {
    this.commitRequested = true;
  }

  streamTimeMs(): number {
    return this.#surroundings.streamTimeMs();
  }

  systemTimeMs(): number {
    return this.#options.components.clock.nowMs();
  }

  dropped(node: string, reason: string): void {
    this.#surroundings.metrics.countDropped(node, reason);
    const { topic, partition, offset } = this.recordContext;
    this.logger.warn('a record was dropped', { taskId: this.taskId, node, reason, topic, partition, offset });
  }

  /** Writes what an error handler has answered with, with everything else that the task writes. */
  sendDeadLetters(letters: readonly DeadLetter[] | undefined): void {
    this.#collector.sendDeadLetters(letters);
  }

  waitFor(pending: Promise<void>, node?: string): void {
    this.#sources.keep();
    const { settings, components } = this.#options;
    const { taskId, recordContext } = this;
    const { clock } = components;
    const timeoutMs = settings.processingTimeoutMs;
    const deadline = timeoutMs === undefined ? undefined : { clock, timeoutMs, taskId, node, recordContext };
    this.pending.add(deadline === undefined ? pending : withDeadline(pending, deadline));
  }

  asyncLane(node: string, operator: AsyncOperator, settings: AsyncSettings): AsyncLane {
    return this.asyncWork.addLane(node, operator, settings);
  }

  onProcessingError(node: string, error: unknown, key: unknown, value: unknown): void {
    const context = this.errorContext(node);
    const { decide, deadLetters } = consultHandler('processing', context, error, () =>
      this.#handler.handle(context, { key, value }, error),
    );
    this.sendDeadLetters(deadLetters);
    if (decide === 'continue') {
      this.#surroundings.metrics.countDropped(node, 'processing failed');
      return;
    }
    const { topic, partition, offset } = this.recordContext;
    const where = topic === undefined ? {} : { topic, partition, offset };
    throw new ProcessingError('PROCESSING_FAILED', `processing failed: ${messageOf(error)}`, {
      taskId: this.taskId,
      ...where,
      node,
      cause: error,
    });
  }

  // ---- punctuation ----

  /** When the next wall-clock punctuation is due; Infinity when there is none. */
  get nextWallClockMs(): number {
    return this.#wallClockQueue.nextMs;
  }

  /** True when something is due in stream time and nothing is waited for. */
  get isStreamTimeDue(): boolean {
    const streamTime = this.streamTimeMs();
    return streamTime >= 0 && this.pending.promise === undefined && this.#streamTimeQueue.nextMs <= streamTime;
  }

  /** Fires what is due in stream time. Stops at a punctuator that returned a promise: to be called again after it. */
  punctuateStreamTime(): boolean {
    const streamTime = this.streamTimeMs();
    return streamTime >= 0 && this.#punctuate(this.#streamTimeQueue, streamTime);
  }

  /** Fires what is due in wall-clock time; otherwise as {@link punctuateStreamTime}. */
  punctuateWallClock(): boolean {
    return this.#punctuate(this.#wallClockQueue, this.systemTimeMs());
  }

  #punctuate(queue: PunctuationQueue, nowMs: number): boolean {
    let fired = false;
    while (this.pending.promise === undefined) {
      const schedule = queue.takeDue(nowMs);
      if (schedule === undefined) break;
      fired = true;
      this.recordContext.set(undefined, -1, -1, nowMs, NO_HEADERS);
      this.#call(schedule.node, schedule.punctuator, nowMs);
      this.#surroundings.metrics.punctuations.add(1);
    }
    return fired;
  }

  #call(node: string, punctuator: Punctuator, nowMs: number): void {
    try {
      const result = punctuator(nowMs);
      if (result !== undefined)
        this.waitFor(
          result.catch((error: unknown) => this.#onPunctuatorError(node, error)),
          node,
        );
    } catch (error) {
      this.#onPunctuatorError(node, error);
    }
  }

  /** Errors of the framework have been decided about already, further down. */
  #onPunctuatorError(node: string, error: unknown): void {
    if (error instanceof StreamsError) throw error;
    this.onProcessingError(node, error, undefined, undefined);
  }

  errorContext(node: string): ErrorHandlerContext {
    const { topic, partition, offset, timestamp, headers } = this.recordContext;
    const { key, value } = this.#sources.current;
    const { deadLetterTopic } = this.#options.settings;
    return {
      taskId: this.taskId,
      node,
      topic,
      partition,
      offset,
      timestamp,
      headers,
      sourceRawKey: key,
      sourceRawValue: value,
      deadLetterTopic,
    };
  }
}

/** False when error handlers make nothing of the bytes of an input record. */
function asksForSources({ settings, components }: StreamTaskOptions): boolean {
  const { onProcessingError, onProductionError } = components;
  return settings.deadLetterTopic !== undefined || onProcessingError !== undefined || onProductionError !== undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
