import { CancelledError, formatTaskId, topicPartitionKey, type Clock, type Logger, type TaskId } from '@millrace/core';
import type { CommittedOffset, KafkaClient } from '@millrace/client';
import { mismatch, unreadable } from '../restore/changelog-check.ts';
import { mustPutAside } from '../restore/revival-limit.ts';
import type { TaskParts } from '../task/task-parts.ts';
import type { TaskDatabases } from '../task-state/task-state.ts';
import { CommittedInputs } from './committed-inputs.ts';
import { FollowedChangelog } from './followed-changelog.ts';
import { FollowedChangelogs, type FollowedRecords } from './followed-changelogs.ts';
import type { StandbyTask } from './standby-task.ts';
import type { StandbySuspendReason, StandbyUpdateListener } from './standby-update-listener.ts';

/** How long the updater waits for data before it looks at what else there is to do. */
const WAIT_MS = 250;
/** What has been applied is written after this time at the latest. */
const FLUSH_MS = 1000;
/** Pauses before a standby that has failed is opened again. */
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 60_000;
const FETCH_SIZES = { partitionMaxBytes: 512 * 1024, maxBytes: 2 * 1024 * 1024, maxBufferedBytes: 8 * 1024 * 1024 };

export interface StandbyUpdaterOptions {
  readonly client: Pick<KafkaClient, 'createFetcher' | 'offsets'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: StandbyUpdateListener;
  readonly groupId: string;
  /** Under exactly-once only what is committed is applied. */
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Opens the state of a task, over databases that are open already if there are any. */
  readonly openTask: (id: TaskId, databases?: TaskDatabases) => Promise<StandbyTask>;
  /** Puts the files of a task's state aside. */
  readonly quarantine: (taskId: string) => Promise<void>;
}

/** A standby task: opened, and followed, when its time has come. */
interface Standby {
  readonly id: TaskId;
  readonly taskId: string;
  /** Absent until its state is open, and again after a failure. */
  task: StandbyTask | undefined;
  changelogs: readonly FollowedChangelog[];
  isFollowed: boolean;
  needsFlush: boolean;
  failures: number;
  /** On the monotonic clock: not to be opened before. */
  retryAtMs: number;
  /** What is being done with it; never rejects. */
  busy: Promise<void>;
}

/**
 * Keeps the state of all standby tasks of a worker up to date, in the background, from one fetcher, one step after another.
 *
 * Standbys are never in anybody's way: they pause while an active task restores, give way after each step, and what goes wrong with
 * one is logged and tried again. What is applied and up to where is written in one batch.
 *
 * Source: the role of Kafka Streams' `StoreChangelogReader` and `DefaultStateUpdater` for standby tasks.
 */
export class StandbyUpdater {
  readonly #options: StandbyUpdaterOptions;
  readonly #standbys = new Map<string, Standby>();
  readonly #followed: FollowedChangelogs<Standby>;
  readonly #committed: CommittedInputs;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #flushAtMs = 0;

  constructor(options: StandbyUpdaterOptions) {
    const { client, isolation } = options;
    this.#options = options;
    this.#followed = new FollowedChangelogs(() => client.createFetcher({ lane: 'restore', isolation, ...FETCH_SIZES }));
    this.#committed = new CommittedInputs({
      ...options,
      inputs: () => [...this.openTasks()].flatMap(({ watchedInputs }) => watchedInputs),
      onCommitted: (offsets) => this.#takeOver(offsets),
    });
  }

  get taskIds(): string[] {
    return [...this.#standbys.keys()];
  }

  has(taskId: string): boolean {
    return this.#standbys.has(taskId);
  }

  /** Sums of changelog offsets of the states that are open. */
  *offsetSums(): Generator<readonly [taskId: string, sum: number], void> {
    for (const { taskId, task } of this.#standbys.values()) if (task !== undefined) yield [taskId, task.changelogOffsetSum()];
  }

  /** The tasks whose state is open. */
  *openTasks(): Generator<StandbyTask, void> {
    for (const { task } of this.#standbys.values()) if (task !== undefined) yield task;
  }

  // ---- coming and going ------------------------------------------------------------------------------------------------

  /**
   * Follows a task from now on. Its state is opened in the background.
   *
   * @param databases what the active task has left open; then the state is opened at once
   */
  async add(id: TaskId, databases?: TaskDatabases): Promise<void> {
    const taskId = formatTaskId(id);
    const standby: Standby = {
      id,
      taskId,
      task: undefined,
      changelogs: [],
      isFollowed: false,
      needsFlush: false,
      failures: 0,
      retryAtMs: 0,
      busy: Promise.resolve(),
    };
    this.#standbys.set(taskId, standby);
    if (databases !== undefined) await this.#work(standby, () => this.#open(standby, databases));
    this.#loop ??= this.#run(this.#stop.signal);
    this.#wake();
  }

  /** Hands over the state of a task that becomes active; `undefined` when it is not here or not usable. */
  async promote(taskId: string): Promise<TaskParts | undefined> {
    const standby = await this.#release(taskId, 'promoted');
    const task = standby?.task;
    if (task === undefined) return undefined;
    try {
      await task.flush();
      return task.parts;
    } catch (error) {
      await this.#discard(task, error);
      return undefined;
    }
  }

  /** Follows a task no longer; its state is kept on disk. */
  async drop(taskId: string): Promise<void> {
    const standby = await this.#release(taskId, 'migrated');
    const task = standby?.task;
    if (task === undefined) return;
    try {
      await task.flush();
      await task.close();
    } catch (error) {
      await this.#discard(task, error);
    }
  }

  async dropAll(): Promise<void> {
    for (const taskId of this.taskIds) await this.drop(taskId);
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#stop.abort(new CancelledError('the standby tasks are closed'));
    this.#wake();
    await this.#loop;
    await this.dropAll();
    await this.#followed.close();
  }

  async #release(taskId: string, reason: StandbySuspendReason): Promise<Standby | undefined> {
    const standby = this.#standbys.get(taskId);
    if (standby === undefined) return undefined;
    this.#standbys.delete(taskId);
    await standby.busy;
    for (const changelog of standby.changelogs) this.#tell(() => this.#options.listener.onUpdateSuspended?.(changelog, reason));
    this.#unfollow(standby);
    return standby;
  }

  // ---- priority --------------------------------------------------------------------------------------------------------

  /** Active tasks restore: the broker's answers and this processor are theirs. */
  pause(): void {
    this.#followed.pause();
  }

  resume(): void {
    if (!this.#followed.isPaused) return;
    this.#followed.resume();
    this.#wake();
  }

  // ---- the loop --------------------------------------------------------------------------------------------------------

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#followed.isPaused || this.#standbys.size === 0) await this.#woken();
        else await this.#turn(signal);
        await clock.sleep(0, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('a step of the standby tasks failed; going on', { error });
        await clock.sleep(RETRY_FIRST_MS, signal).catch(() => undefined);
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    for (const standby of this.#standbys.values()) {
      if (standby.isFollowed || standby.retryAtMs > now) continue;
      await this.#work(standby, () => this.#begin(standby, signal));
    }
    for (const { owner, failure } of this.#followed.takeFailures()) {
      await this.#work(owner, () => Promise.reject(unreadable(owner.taskId, failure)));
    }
    this.#committed.refresh(signal);
    if (now >= this.#flushAtMs) await this.#flushAll();
    const next = this.#followed.take();
    if (next === undefined) return this.#followed.wait(WAIT_MS, signal);
    await this.#work(next.owner, () => this.#apply(next));
  }

  /** Does something with a standby that is still one; its failure is the standby's own affair. */
  #work(standby: Standby, step: () => Promise<void>): Promise<void> {
    if (!this.#isHere(standby)) return Promise.resolve();
    standby.busy = step().catch((error: unknown) => this.#failed(standby, error));
    return standby.busy;
  }

  #isHere(standby: Standby): boolean {
    return this.#standbys.get(standby.taskId) === standby;
  }

  async #begin(standby: Standby, signal: AbortSignal): Promise<void> {
    if (standby.task === undefined) await this.#open(standby);
    const { task } = standby;
    if (task === undefined || !this.#isHere(standby)) return;
    const changelogs = task.changelogs();
    const { offsets } = this.#options.client;
    const [ends, starts] = await Promise.all([
      offsets.list(changelogs, 'latest', signal),
      offsets.list(changelogs, 'earliest', signal),
    ]);
    if (!this.#isHere(standby)) return;
    standby.isFollowed = true;
    standby.changelogs = changelogs.map((changelog) => {
      const key = topicPartitionKey(changelog.topic, changelog.partition);
      const [start, end] = [starts.get(key) ?? 0, ends.get(key) ?? 0];
      const problem = mismatch(task.taskId, changelog, { start, end }, false);
      if (problem !== undefined) throw problem;
      return new FollowedChangelog(task.taskId, changelog, changelog.offset ?? start, end);
    });
    for (const changelog of standby.changelogs) {
      this.#followed.follow(standby, changelog);
      this.#tell(() => this.#options.listener.onUpdateStart?.(changelog));
    }
    if (task.watchedInputs.length > 0) this.#committed.hasten();
  }

  #unfollow(standby: Standby): void {
    for (const changelog of standby.changelogs) this.#followed.unfollow(changelog);
    standby.changelogs = [];
    standby.isFollowed = false;
  }

  async #open(standby: Standby, databases?: TaskDatabases): Promise<void> {
    standby.task = await this.#options.openTask(standby.id, databases);
  }

  async #apply({ owner: standby, changelog, fetched }: FollowedRecords<Standby>): Promise<void> {
    const { task } = standby;
    if (task === undefined) return;
    const { limit } = changelog;
    const records = await task.apply(fetched, limit);
    standby.needsFlush = true;
    standby.failures = 0;
    changelog.currentOffset = Math.min(fetched.nextOffset, limit);
    changelog.endOffset = Math.max(fetched.highWatermark, changelog.currentOffset);
    this.#tell(() => this.#options.listener.onBatchLoaded?.(changelog, records));
    if (this.#isHere(standby)) this.#followed.holdAtLimit(changelog);
  }

  async #flushAll(): Promise<void> {
    this.#flushAtMs = this.#options.clock.monotonicMs() + FLUSH_MS;
    for (const standby of this.#standbys.values()) {
      const { task, needsFlush } = standby;
      if (task === undefined || !needsFlush) continue;
      standby.needsFlush = false;
      await this.#work(standby, () => task.flush());
    }
  }

  /** Takes over what the owners have committed. */
  #takeOver(committed: ReadonlyMap<string, CommittedOffset>): void {
    for (const task of this.openTasks()) {
      task.resumeEmission(
        task.watchedInputs.flatMap(({ topic, partition }) => committed.get(topicPartitionKey(topic, partition)) ?? []),
      );
    }
    this.#followed.raiseLimits(committed);
  }

  // ---- failures --------------------------------------------------------------------------------------------------------

  async #failed(standby: Standby, error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { task, taskId } = standby;
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(standby.failures, 16));
    standby.failures++;
    standby.retryAtMs = this.#options.clock.monotonicMs() + pauseMs;
    standby.task = undefined;
    standby.needsFlush = false;
    this.#options.logger.warn('a standby task failed; it begins again', { taskId, pauseMs, error });
    this.#unfollow(standby);
    if (task !== undefined) await this.#discard(task, error);
    else if (mustPutAside(error)) await this.#putAside(taskId);
  }

  async #discard(task: StandbyTask, error: unknown): Promise<void> {
    const { logger } = this.#options;
    await task
      .close()
      .catch((cause: unknown) => logger.warn('a standby task could not be closed', { taskId: task.taskId, error: cause }));
    if (mustPutAside(error)) await this.#putAside(task.taskId);
  }

  async #putAside(taskId: string): Promise<void> {
    const { quarantine, logger } = this.#options;
    await quarantine(taskId).catch((error: unknown) =>
      logger.warn('the state of a standby task could not be put aside', { taskId, error }),
    );
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.logger.warn('a standby update listener failed', { error });
    }
  }
}
