import { join } from 'node:path';
import { formatTaskId, seededRandom, systemClock, type MetricsRegistry, type TaskId } from '@millrace/core';
import type { CommittedOffset } from '@millrace/client';
import { StreamTask } from '@millrace/runtime';
import type { StateStore } from '@millrace/state';
import type { SubtopologyPlan } from '@millrace/topology';
import type { DriverBroker } from '../broker/driver-broker.ts';
import type { TopicLog } from '../broker/topic-log.ts';
import type { TestClock } from '../clock/test-clock.ts';
import type { ResolvedDriverOptions } from './driver-options.ts';

const BUFFERED_BYTES = 1 << 30;
const CLEAN_CACHE_BYTES = 64 * 1024 * 1024;
/** Inputs that are committed together at most, about as many as a busy worker commits at once, and uncommitted rows of them. */
const TOGETHER_INPUTS_MAX = 256 * 1024;
const TOGETHER_BYTES_MAX = 16 * 1024 * 1024;

/** What a task of the driver is made of; the same for every incarnation. */
export interface DrivenTaskOptions {
  readonly id: TaskId;
  readonly plan: SubtopologyPlan;
  readonly broker: DriverBroker;
  readonly clock: TestClock;
  readonly metrics: MetricsRegistry;
  readonly driver: ResolvedDriverOptions;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** True for the task of the global stores: what is in the topic counts, not what the group has committed. */
  readonly resumesFromState?: boolean;
  /** Awaited after each commit that the task makes by itself. */
  readonly onCommit?: (() => Promise<void>) | undefined;
}

/**
 * One incarnation of the task that a driver runs, from opening its state to its end: does what a worker does, but one record
 * at a time and only when told to.
 */
export class DrivenTask {
  readonly #options: DrivenTaskOptions;
  readonly #task: StreamTask;
  readonly directory: string;
  readonly #inputs: DrivenInput[] = [];
  /** A commit waits for asynchronous work. */
  #commitIsDue = false;
  /** See {@link settleTogether}. */
  #uncommittedInputs = 0;

  private constructor(options: DrivenTaskOptions, task: StreamTask, directory: string) {
    this.#options = options;
    this.#task = task;
    this.directory = directory;
  }

  /** Opens the state, restores it from the changelogs, and goes on from the committed offsets. */
  static async open(options: DrivenTaskOptions, topics: readonly string[]): Promise<DrivenTask> {
    const { id, plan, broker, clock, metrics, driver, globalStores } = options;
    const directory = join(driver.stateDir, formatTaskId(id));
    const task = await StreamTask.open({
      id,
      subtopology: plan,
      inputPartitions: topics.map((topic) => ({ topic, partition: 0 })),
      settings: { ...driver, guarantee: 'exactly_once_v2', bufferedBytesPerPartition: BUFFERED_BYTES },
      components: { ...driver, clock, metrics, random: seededRandom(0) },
      directory,
      appender: broker,
      progress: { position: () => 0, bounds: () => ALL_CONSUMED },
      cleanCacheBytes: CLEAN_CACHE_BYTES,
      globalStores,
    });
    const driven = new DrivenTask(options, task, directory);
    try {
      await driven.#restore();
      driven.#initializeInput(topics);
      return driven;
    } catch (error) {
      await task.close({ clean: false });
      throw error;
    }
  }

  async #restore(): Promise<void> {
    for (const { topic, offset = 0, isInput } of this.#task.changelogs()) {
      const log = this.#options.broker.log(topic);
      const end = isInput ? (this.#options.broker.committed(topic)?.offset ?? 0) : log.visibleEnd;
      if (offset < end) await this.#task.applyRestored(log.fetch(offset, end));
    }
    await this.#task.finishRestore();
  }

  #initializeInput(topics: readonly string[]): void {
    const { broker } = this.#options;
    const offsets = topics.map((topic) => this.#startOffset(topic));
    this.#task.initializeInput(offsets);
    for (const { topic, offset } of offsets) this.#inputs.push({ log: broker.log(topic), position: offset });
  }

  /** A task without changelogs (that of the global stores) goes on where its local state ends. */
  #startOffset(topic: string): CommittedOffset {
    const { broker, resumesFromState } = this.#options;
    const none = { topic, partition: 0, offset: 0, metadata: '' };
    if (resumesFromState !== true) return broker.committed(topic) ?? none;
    return { ...none, offset: this.#task.storedInputOffset(topic, 0) ?? 0 };
  }

  reads(topic: string): boolean {
    return this.#inputs.some(({ log }) => log.topic === topic);
  }

  /** Starts reading a topic that matches a pattern of the topology. */
  addInput(topic: string): void {
    this.#task.addInput({ topic, partition: 0 });
    this.#inputs.push({ log: this.#options.broker.log(topic), position: 0 });
  }

  /** Stores of the topology, in the order of their first node. */
  get stores(): Iterable<StateStore> {
    return this.#task.state.stores;
  }

  /** True while asynchronous operators hold records. */
  get hasAsyncWork(): boolean {
    return this.#task.asyncWork.held > 0;
  }

  /**
   * Processes everything that has arrived, what that sends to topics that are read, and the results of asynchronous operators
   * as far as they come without waiting. After each record: stream-time punctuation, then a commit, as Kafka Streams' driver
   * does; while asynchronous work is under way the commit waits for it.
   *
   * @returns `undefined` when all of that is done, as it is unless something has to be waited for
   */
  settle(): Promise<void> | undefined {
    const task = this.#task;
    this.#feed();
    while (!this.hasAsyncWork) {
      const processed = task.process(1, Infinity);
      // Records that were passed over are committed too: dead letters are seen then.
      if (processed === 0 && !(task.commitNeeded && this.#commitsNow)) return undefined;
      const rest = this.hasAsyncWork ? this.#finishWithResults() : this.#finish();
      if (rest !== undefined) return this.#settleAfter(rest);
    }
    return this.#settleAfter(undefined);
  }

  async #settleAfter(rest: Promise<void> | undefined): Promise<void> {
    await rest;
    for (;;) {
      const processed = this.#task.process(1, Infinity) > 0;
      const forwarded = this.hasAsyncWork && (await this.#forwardResults());
      if (!processed && !forwarded) return;
      await this.#finish();
    }
  }

  async #finishWithResults(): Promise<void> {
    await this.#forwardResults();
    await this.#finish();
  }

  /** What follows upon a record: punctuation in stream time, and the commit. */
  #finish(): Promise<void> | undefined {
    const task = this.#task;
    if (task.pending === undefined && !task.punctuateStreamTime()) return this.#commitIfDue();
    return this.#punctuateAndCommit();
  }

  async #punctuateAndCommit(): Promise<void> {
    await this.#task.pending;
    await this.#punctuate(() => this.#task.punctuateStreamTime());
    await this.#commitIfDue();
  }

  get #commitsNow(): boolean {
    return this.#options.driver.autoCommit || this.#commitIsDue;
  }

  #commitIfDue(): Promise<void> | undefined {
    if (!this.#commitsNow) return undefined;
    const committed = this.commit();
    const { onCommit } = this.#options;
    return onCommit === undefined ? committed : this.#tellOfCommit(committed, onCommit);
  }

  async #tellOfCommit(committed: Promise<void> | undefined, onCommit: () => Promise<void>): Promise<void> {
    await committed;
    if (!this.#commitIsDue) await onCommit();
  }

  /**
   * As {@link settle}, with the same results, but what need not be visible in between, to the topology itself or to its global
   * stores, is committed later, at the latest by {@link endTogether}.
   *
   * @param inputs how many records have been piped for it
   */
  async settleTogether(inputs: number): Promise<void> {
    if (!this.#options.driver.autoCommit || this.#options.onCommit !== undefined) return this.settle();
    this.#uncommittedInputs += inputs;
    const settled = await this.#processTogether();
    const isBehind = this.#uncommittedInputs >= TOGETHER_INPUTS_MAX || this.#task.dirtyBytes > TOGETHER_BYTES_MAX;
    if (!settled || isBehind) await this.endTogether();
  }

  /** @returns false when asynchronous work is under way: {@link settle} goes on then */
  async #processTogether(): Promise<boolean> {
    const task = this.#task;
    this.#feed();
    while (!this.hasAsyncWork) {
      if (task.process(1, Infinity) === 0) return true;
      if (task.pending !== undefined) await task.pending;
      if (task.punctuateStreamTime()) await this.#punctuate(() => task.punctuateStreamTime());
      task.flushCaches();
      if (task.commitRequested || task.hasUnflushed || this.#hasUnseenInput()) await this.commit();
    }
    return false;
  }

  /** Commits what {@link settleTogether} has left. */
  async endTogether(): Promise<void> {
    if (this.#uncommittedInputs === 0) return;
    this.#uncommittedInputs = 0;
    await this.commit();
    await this.settle();
  }

  /** True when the task has written to a topic that it reads. */
  #hasUnseenInput(): boolean {
    const inputs = this.#inputs;
    for (let i = 0; i < inputs.length; i++) {
      const { log, position } = inputs[i] as DrivenInput;
      if (log.endOffset !== position) return true;
    }
    return false;
  }

  /** Waits, in real time, until no function of an asynchronous operator runs any more. */
  async settleCalls(): Promise<void> {
    await this.settle();
    while (this.#task.asyncWork.openCalls > 0) {
      await this.#task.asyncWork.progress;
      await this.settle();
    }
  }

  /** Lets functions that wait for nothing but other promises end, and forwards the results. Real time or I/O is not waited for. */
  async #forwardResults(): Promise<boolean> {
    if (this.#task.asyncWork.openCalls > 0) await systemClock.sleep(0);
    return this.#task.forwardResults() > 0;
  }

  async punctuateWallClock(): Promise<void> {
    await this.#punctuate(() => this.#task.punctuateWallClock());
    if (this.#options.driver.autoCommit) await this.commit();
  }

  /** Repeats while punctuators are waited for: those behind them have not fired yet. */
  async #punctuate(punctuate: () => boolean): Promise<void> {
    for (punctuate(); this.#task.pending !== undefined; punctuate()) await this.#task.pending;
  }

  /**
   * The way of a commit, as a worker goes it; then what it has made visible is handed to the task. While asynchronous work needs
   * time the commit is put off: {@link settle} makes it as soon as the work has come in.
   *
   * @returns `undefined` when that is done
   */
  commit(): Promise<void> | undefined {
    const task = this.#task;
    task.flushCaches();
    if (task.hasUnflushed) return this.#commitWhenFlushed();
    this.#commitIsDue = false;
    return this.#commitFlushed();
  }

  async #commitWhenFlushed(): Promise<void> {
    this.#commitIsDue = !(await this.#flush());
    if (!this.#commitIsDue) await this.#commitFlushed();
  }

  #commitFlushed(): Promise<void> | undefined {
    const task = this.#task;
    if (!task.commitNeeded) return undefined;
    task.prepareCommit();
    this.#options.broker.commit(task.committableOffsets());
    const written = task.completeCommit();
    if (written !== undefined) return written.then(() => this.#feed());
    this.#feed();
    return undefined;
  }

  /** Goes on where a flush has left something behind. @returns false when asynchronous work needs time */
  async #flush(): Promise<boolean> {
    const task = this.#task;
    while (task.hasUnflushed) {
      if (task.pending !== undefined) await task.pending;
      if (this.hasAsyncWork && !(await this.#forwardResults())) return false;
      task.flushCaches();
    }
    return true;
  }

  #feed(): void {
    const inputs = this.#inputs;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i] as DrivenInput;
      const end = input.log.visibleEnd;
      if (input.position === end) continue;
      this.#task.enqueue(input.log.fetch(input.position, end));
      input.position = end;
    }
  }

  /** Ends the task; what is uncommitted is lost. */
  async close(clean: boolean): Promise<void> {
    await this.#task.close({ clean });
  }
}

interface DrivenInput {
  readonly log: TopicLog;
  /** The next offset to hand to the task. */
  position: number;
}

/** Inputs of a driver never have more on the broker than the task has been given. */
const ALL_CONSUMED = { highWatermark: 0, lastStableOffset: 0 };
