import { TaskCorruptedError, topicPartitionKey, type Logger } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, FetchFailure, Fetcher, KafkaClient } from '@millrace/client';
import type { StreamTask } from '../task/stream-task.ts';
import { ChangelogProgress } from './changelog-progress.ts';
import type { RestoreListener } from './restore-listener.ts';

/** How long the restorer waits for data before it looks at its signal again. */
const WAIT_MS = 500;

export interface RestorerOptions {
  readonly client: KafkaClient;
  readonly logger: Logger;
  readonly listener: RestoreListener;
  /** Tells whether what restoring reads must be committed. */
  readonly isolation: 'read_committed' | 'read_uncommitted';
}

interface Restoring {
  readonly task: StreamTask;
  readonly progress: ChangelogProgress;
  /** Where applying must stop, whatever was fetched: at what is still to be processed of an input. */
  readonly endOffset: number | undefined;
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

  constructor(options: RestorerOptions) {
    this.#options = options;
  }

  /**
   * Restores the tasks and reports each as it becomes ready.
   *
   * @param committed committed offsets of the tasks' inputs by `topicPartitionKey`: where an input serves as changelog, what
   * lies behind them has not been processed yet and is not restored
   * @throws TaskCorruptedError when local state and changelog do not fit; the task must be wiped and restored anew
   * @throws CancelledError when the signal aborts
   */
  async restore(
    tasks: readonly StreamTask[],
    committed: ReadonlyMap<string, CommittedOffset>,
    onReady: (task: StreamTask) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const plan = await this.#plan(tasks, committed, signal);
    const open = new Map<StreamTask, number>();
    for (const { task, progress } of plan.values()) if (!progress.done) open.set(task, (open.get(task) ?? 0) + 1);
    for (const task of tasks) if (!open.has(task)) await this.#finish(task, onReady);
    const pending = [...plan.values()].filter(({ progress }) => !progress.done);
    if (pending.length === 0) return;
    const fetcher = this.#options.client.createFetcher({
      lane: 'restore',
      isolation: this.#options.isolation,
      maxWaitMs: WAIT_MS,
    });
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
    const changelogs = tasks.flatMap((task) => task.changelogs().map((changelog) => ({ task, changelog })));
    const partitions = changelogs.map(({ changelog }) => changelog);
    const [ends, starts] = await Promise.all([
      this.#options.client.offsets.list(partitions, 'latest', signal),
      this.#options.client.offsets.list(partitions, 'earliest', signal),
    ]);
    const plan = new Map<string, Restoring>();
    for (const { task, changelog } of changelogs) {
      const key = topicPartitionKey(changelog.topic, changelog.partition);
      const end = ends.get(key) ?? 0;
      const start = starts.get(key) ?? 0;
      assertUsable(task, changelog, start, end);
      const until = changelog.isInput ? Math.min(end, committed.get(key)?.offset ?? 0) : end;
      const progress = new ChangelogProgress({ ...changelog, taskId: task.taskId }, changelog.offset ?? start, until);
      plan.set(key, { task, progress, endOffset: changelog.isInput ? until : undefined });
    }
    return plan;
  }

  async #pump(
    fetcher: Fetcher,
    plan: ReadonlyMap<string, Restoring>,
    open: Map<StreamTask, number>,
    onReady: (task: StreamTask) => void,
    signal: AbortSignal,
  ): Promise<void> {
    while (open.size > 0) {
      signal.throwIfAborted();
      for (const failure of fetcher.takeFailures()) throw unreadable(plan, failure);
      const fetched = fetcher.take();
      if (fetched === undefined) {
        await fetcher.wait(WAIT_MS, signal);
        continue;
      }
      const restoring = plan.get(topicPartitionKey(fetched.topic, fetched.partition));
      if (restoring === undefined || restoring.progress.done) continue;
      await this.#apply(restoring, fetched);
      if (!restoring.progress.done) continue;
      fetcher.unassign(fetched.topic, fetched.partition);
      this.#tell('onRestoreEnd', restoring.progress);
      const left = (open.get(restoring.task) ?? 1) - 1;
      if (left > 0) {
        open.set(restoring.task, left);
      } else {
        open.delete(restoring.task);
        await this.#finish(restoring.task, onReady);
      }
    }
  }

  async #apply({ task, progress, endOffset }: Restoring, fetched: FetchedPartition): Promise<void> {
    const records = await task.applyRestored(fetched, endOffset);
    progress.currentOffset = fetched.nextOffset;
    progress.restoredRecords += records;
    this.#tell('onBatchRestored', progress, records);
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

/** Local state that lies outside the changelog cannot have come from it. */
function assertUsable(
  task: StreamTask,
  changelog: { readonly store: string; readonly topic: string; readonly partition: number; readonly offset: number | undefined },
  start: number,
  end: number,
): void {
  const { offset } = changelog;
  if (offset === undefined || (offset >= start && offset <= end)) return;
  throw new TaskCorruptedError(
    'CHANGELOG_MISMATCH',
    `the local state is at changelog offset ${offset}, the changelog has ${start} to ${end}; the state is put aside and restored from the start`,
    { taskId: task.taskId, topic: changelog.topic, partition: changelog.partition, offset, store: changelog.store },
  );
}

function unreadable(plan: ReadonlyMap<string, Restoring>, failure: FetchFailure): Error {
  const restoring = plan.get(topicPartitionKey(failure.topic, failure.partition));
  if (failure.reason !== 'offset-out-of-range' || restoring === undefined) return failure.error;
  return new TaskCorruptedError(
    'CHANGELOG_TRUNCATED',
    'the changelog was truncated while the state was being restored; the state is put aside and restored from the start',
    {
      taskId: restoring.task.taskId,
      topic: failure.topic,
      partition: failure.partition,
      offset: failure.position,
      cause: failure.error,
    },
  );
}
