import { topicPartitionKey, type Clock, type Logger } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, Fetcher, KafkaClient } from '@millrace/client';
import type { StreamTask } from '../task/stream-task.ts';
import { mismatch, offsetsMissing, unreadable } from './changelog-check.ts';
import { ChangelogProgress } from './changelog-progress.ts';
import type { RestoreListener } from './restore-listener.ts';
import { StallWatch } from './stall-watch.ts';

/** How long the restorer waits for data before it looks at its signal again. */
const WAIT_MS = 500;

/** Restoring gives way to tasks that run after this time. */
const SLICE_MS = 8;

/**
 * An answer is checked and decoded in one piece, so that answers are small: larger ones are not faster, and would hold up the tasks
 * that run meanwhile.
 */
const FETCH_SIZES = { partitionMaxBytes: 1024 * 1024, maxBytes: 2 * 1024 * 1024, maxBufferedBytes: 16 * 1024 * 1024 };

/** What is to happen when Kafka and the local state do not fit in a way that may mean lost data. */
export interface RestorePolicy {
  readonly onMissingOffsets: 'fail' | 'reset';
  readonly allowChangelogRebuild: boolean;
}

export interface RestorerOptions {
  readonly client: KafkaClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: RestoreListener;
  /** Tells whether what restoring reads must be committed. */
  readonly isolation: 'read_committed' | 'read_uncommitted';
  readonly policy: RestorePolicy;
}

interface Restoring {
  readonly task: StreamTask;
  readonly progress: ChangelogProgress;
  /** Where applying must stop, whatever was fetched: at what is still to be processed of an input. */
  readonly endOffset: number | undefined;
  /** True when no record may be found: nothing is committed of the inputs that would have caused it. */
  readonly mustBeEmpty: boolean;
}

/**
 * Brings the stores of tasks up to the end of their changelogs, all partitions at once, while other tasks go on.
 *
 * A changelog counts as restored when the position has reached the high watermark that it had at the start: not the last
 * stable offset, because transaction markers reach the changelog later than the committed input offsets do.
 * Runs no user code. What was restored before an interruption is kept.
 */
export class Restorer {
  readonly #options: RestorerOptions;
  #sliceEndsMs = 0;

  constructor(options: RestorerOptions) {
    this.#options = options;
  }

  /**
   * Restores the tasks and reports each as it becomes ready.
   *
   * @param committed committed offsets of the tasks' inputs by `topicPartitionKey`: where an input serves as changelog, what
   * lies behind them has not been processed yet and is not restored
   * @throws TaskCorruptedError when local state and changelog do not fit; the task must be wiped and restored anew
   * @throws FatalStreamsError `CHANGELOG_MISSING`, `OFFSETS_MISSING` when going on would lose or repeat data
   * @throws CancelledError when the signal aborts
   */
  async restore(
    tasks: readonly StreamTask[],
    committed: ReadonlyMap<string, CommittedOffset>,
    onReady: (task: StreamTask) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, isolation, policy } = this.#options;
    if (policy.onMissingOffsets === 'fail') for (const task of tasks) assertOffsetsKept(task, committed);
    const plan = await this.#plan(tasks, committed, signal);
    const open = new Map<StreamTask, number>();
    for (const { task, progress } of plan.values()) if (!progress.done) open.set(task, (open.get(task) ?? 0) + 1);
    for (const task of tasks) if (!open.has(task)) await this.#finish(task, onReady);
    const pending = [...plan.values()].filter(({ progress }) => !progress.done);
    if (pending.length === 0) return;
    const fetcher = client.createFetcher({ lane: 'restore', isolation, maxWaitMs: WAIT_MS, ...FETCH_SIZES });
    try {
      for (const { progress } of pending) {
        this.#tell('onRestoreStart', progress);
        fetcher.assign(progress.topic, progress.partition, progress.startOffset);
      }
      await this.#pump(fetcher, plan, open, onReady, signal);
    } finally {
      for (const { progress } of pending) if (!progress.done) this.#tell('onRestoreSuspended', progress);
      await fetcher.close();
    }
  }

  /** Where each changelog starts and ends. */
  async #plan(
    tasks: readonly StreamTask[],
    committed: ReadonlyMap<string, CommittedOffset>,
    signal: AbortSignal,
  ): Promise<Map<string, Restoring>> {
    const { client, clock, policy } = this.#options;
    const changelogs = tasks.flatMap((task) => task.changelogs().map((changelog) => ({ task, changelog })));
    const partitions = changelogs.map(({ changelog }) => changelog);
    const [ends, starts, uncommitted] = await Promise.all([
      client.offsets.list(partitions, 'latest', signal),
      client.offsets.list(partitions, 'earliest', signal),
      this.#withoutOffsets(tasks, committed, signal),
    ]);
    const plan = new Map<string, Restoring>();
    for (const { task, changelog } of changelogs) {
      const key = topicPartitionKey(changelog.topic, changelog.partition);
      const [start, end] = [starts.get(key) ?? 0, ends.get(key) ?? 0];
      const problem = mismatch(task.taskId, changelog, { start, end }, policy.allowChangelogRebuild);
      if (problem !== undefined) throw problem;
      const until = changelog.isInput ? Math.min(end, committed.get(key)?.offset ?? 0) : end;
      const progress = new ChangelogProgress({ ...changelog, taskId: task.taskId }, changelog.offset ?? start, until, clock);
      const mustBeEmpty = !changelog.isInput && uncommitted.has(task);
      plan.set(key, { task, progress, endOffset: changelog.isInput ? until : undefined, mustBeEmpty });
    }
    return plan;
  }

  /**
   * The tasks that have input, but have never committed any of it: no changelog can hold what they have caused. At least once it
   * can, if the very first commit was interrupted.
   */
  async #withoutOffsets(
    tasks: readonly StreamTask[],
    committed: ReadonlyMap<string, CommittedOffset>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<StreamTask>> {
    const { policy, isolation } = this.#options;
    if (policy.onMissingOffsets === 'reset' || isolation === 'read_uncommitted') return new Set();
    const isCommitted = (at: { topic: string; partition: number }): boolean =>
      (committed.get(topicPartitionKey(at.topic, at.partition))?.offset ?? -1) >= 0;
    const fresh = tasks.filter(({ inputPartitions }) => !inputPartitions.some(isCommitted));
    const inputs = fresh.flatMap(({ inputPartitions }) => inputPartitions);
    if (inputs.length === 0) return new Set();
    const ends = await this.#options.client.offsets.list(inputs, 'latest', signal);
    const hasInput = (task: StreamTask): boolean =>
      task.inputPartitions.some(({ topic, partition }) => (ends.get(topicPartitionKey(topic, partition)) ?? 0) > 0);
    return new Set(fresh.filter(hasInput));
  }

  async #pump(
    fetcher: Fetcher,
    plan: ReadonlyMap<string, Restoring>,
    open: Map<StreamTask, number>,
    onReady: (task: StreamTask) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    const stalls = new StallWatch(clock, logger);
    this.#sliceEndsMs = clock.monotonicMs() + SLICE_MS;
    while (open.size > 0) {
      signal.throwIfAborted();
      for (const failure of fetcher.takeFailures()) {
        const key = topicPartitionKey(failure.topic, failure.partition);
        throw unreadable(plan.get(key)?.task.taskId ?? '', failure);
      }
      const fetched = fetcher.take();
      if (fetched === undefined) {
        stalls.check(pendingOf(plan), fetcher);
        await fetcher.wait(WAIT_MS, signal);
        continue;
      }
      const restoring = plan.get(topicPartitionKey(fetched.topic, fetched.partition));
      if (restoring === undefined || restoring.progress.done) continue;
      await this.#apply(restoring, fetched);
      if (restoring.progress.done) await this.#settle(fetcher, restoring, open, onReady);
      await this.#giveWay();
    }
  }

  async #apply({ task, progress, endOffset, mustBeEmpty }: Restoring, fetched: FetchedPartition): Promise<void> {
    const { topic, partition } = progress;
    // Before any of it is written: the proof must still be there at the next start.
    if (mustBeEmpty && fetched.batches.length > 0) {
      const input = task.inputPartitions[0] ?? { topic, partition };
      throw offsetsMissing(task.taskId, input.topic, input.partition, `the changelog ${topic}-${partition} holds records`);
    }
    const records = await task.applyRestored(fetched, endOffset);
    progress.advance(fetched.nextOffset, records, fetched.byteLength);
    this.#tell('onBatchRestored', progress, records);
  }

  /** A changelog is restored, and its task with the last of them. */
  async #settle(
    fetcher: Fetcher,
    { task, progress }: Restoring,
    open: Map<StreamTask, number>,
    onReady: (task: StreamTask) => void,
  ): Promise<void> {
    fetcher.unassign(progress.topic, progress.partition);
    this.#tell('onRestoreEnd', progress);
    const left = (open.get(task) ?? 1) - 1;
    if (left > 0) {
      open.set(task, left);
      return;
    }
    open.delete(task);
    await this.#finish(task, onReady);
  }

  /** Writing to a database mostly lets others run; what is in memory only, or small, does not. */
  async #giveWay(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonicMs() < this.#sliceEndsMs) return;
    await clock.sleep(0);
    this.#sliceEndsMs = clock.monotonicMs() + SLICE_MS;
  }

  async #finish(task: StreamTask, onReady: (task: StreamTask) => void): Promise<void> {
    await task.finishRestore();
    onReady(task);
  }

  #tell(event: keyof RestoreListener, progress: ChangelogProgress, records = 0): void {
    try {
      this.#options.listener[event]?.(progress, records);
    } catch (error) {
      this.#options.logger.warn('a restore listener failed', { event, error });
    }
  }
}

/** Local state is written after the commit: an offset that it remembers was committed. */
function assertOffsetsKept(task: StreamTask, committed: ReadonlyMap<string, CommittedOffset>): void {
  for (const { topic, partition } of task.inputPartitions) {
    const stored = task.storedInputOffset(topic, partition);
    if (stored === undefined || (committed.get(topicPartitionKey(topic, partition))?.offset ?? -1) >= 0) continue;
    throw offsetsMissing(task.taskId, topic, partition, `the local state was written after offset ${stored} had been committed`);
  }
}

function* pendingOf(plan: ReadonlyMap<string, Restoring>): Generator<ChangelogProgress, void> {
  for (const { progress } of plan.values()) if (!progress.done) yield progress;
}
