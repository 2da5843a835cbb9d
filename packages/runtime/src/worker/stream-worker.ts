import { CancelledError, formatTaskId, type Clock, type Logger, type TaskId } from '@millrace/core';
import type { GroupMember, GroupMetadata, OffsetCommit } from '@millrace/client';
import type { Committer } from '../commit/committer.ts';
import type { RefusedRecords } from '../commit/refused-records.ts';
import type { CommitSchedule } from './commit-schedule.ts';
import type { Input } from './input.ts';
import { LocalWrites } from './local-writes.ts';
import type { Membership } from './membership.ts';
import { Recovery } from './recovery.ts';
import type { RepartitionPurge } from './repartition-purge.ts';
import { membershipLost, TaskFlush, type Tenure } from './task-flush.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import type { TaskManager } from './task-manager.ts';
import { untilFirst } from './until-first.ts';

/** Longest time that records are processed before timers and the network get their turn. */
const SLICE_MS = 8;
/** Records of one task before the next task has its turn. */
const RECORDS_PER_TURN = 256;

/** What the worker tells the application. */
export interface WorkerEvents {
  /** Tasks are being handed out or restored. */
  readonly onRebalancing: () => void;
  /** All tasks run. */
  readonly onRunning: () => void;
  /** A task gets its turn; `undefined`: none has it any more. */
  readonly onTurn?: ((task: TaskId | undefined) => void) | undefined;
}

export interface StreamWorkerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: GroupMember;
  readonly membership: Membership;
  readonly committer: Committer;
  readonly refused: RefusedRecords;
  readonly input: Input;
  readonly manager: TaskManager;
  readonly schedule: CommitSchedule;
  readonly purge: RepartitionPurge;
  readonly metrics: WorkerMetrics;
  readonly pollMs: number;
  /** How long asynchronous operators may go on when the worker has to give up its tasks. */
  readonly asyncDrainMs: number;
  /** True when the group is to keep the tasks for it: a static member whose restart should not make the others rebalance. */
  readonly staysMember: () => boolean;
  readonly events: WorkerEvents;
}

/**
 * One loop: rebalance if asked to, take what arrived, process, punctuate, commit, wait. What Kafka calls a StreamThread; here
 * it is not a thread of the operating system.
 *
 * Everything that can go wrong comes up as an error whose class says what to do (see `Recovery`); what is left is thrown to the
 * application.
 */
export class StreamWorker {
  readonly #options: StreamWorkerOptions;
  readonly #writes = new LocalWrites();
  readonly #recovery: Recovery;
  readonly #flush: TaskFlush;
  /** Tasks are being committed for the last time here: others wait for them. */
  #isGivingUp = false;
  /** Aborts when the worker has to stop. */
  #stop: AbortSignal | undefined;

  constructor(options: StreamWorkerOptions) {
    const { clock, pollMs, asyncDrainMs, events } = options;
    this.#options = options;
    this.#recovery = new Recovery({ ...options, writes: this.#writes, onRebalancing: () => events.onRebalancing() });
    this.#flush = new TaskFlush({ clock, pollMs, asyncDrainMs, tenure: () => this.#tenure });
  }

  /** Works until the signal aborts, then stops cleanly: commits, closes its tasks, leaves the group. */
  async run(signal: AbortSignal): Promise<void> {
    const { committer, events } = this.#options;
    this.#stop = signal;
    try {
      events.onRebalancing();
      this.#recovery.begin(() => committer.start(signal));
      while (!signal.aborted) await this.#step(signal);
      await this.#commitBeforeStop();
    } finally {
      await this.#close();
    }
  }

  /** Lets go of everything, whatever fails: what is still held would be missing elsewhere. */
  async #close(): Promise<void> {
    const { manager, input, committer, member, staysMember } = this.#options;
    await this.#attempt('a local write failed while stopping', () => this.#writes.settled());
    await this.#attempt('a task could not be closed cleanly', () => manager.close());
    await this.#attempt('the fetcher could not be closed cleanly', () => input.fetcher.close());
    await this.#attempt('the producer could not be closed cleanly', () => committer.close());
    await (staysMember() ? member.close() : member.leave('the worker stops'));
  }

  async #attempt(failure: string, step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => this.#options.logger.warn(failure, { error }));
  }

  /** One turn of the loop. An error becomes the recovery that the next turn begins with, or ends the worker. */
  async #step(signal: AbortSignal): Promise<void> {
    try {
      await this.#recovery.run(signal);
      await this.#iterate(signal);
    } catch (error) {
      if (signal.aborted && error instanceof CancelledError) return;
      await this.#recovery.plan(this.#judged(error));
    }
  }

  /** A record that the broker refuses is refused again after going back: then the handler's verdict is the error. */
  #judged(error: unknown): unknown {
    try {
      this.#options.refused.judge();
      return error;
    } catch (refusal) {
      return refusal;
    }
  }

  async #iterate(signal: AbortSignal): Promise<void> {
    const { membership, manager, input, clock, schedule } = this.#options;
    if (!(await this.#keepMembership(signal))) return;
    manager.throwFailure();
    await input.handleFailures(signal);
    input.deliver(manager.tasks);
    // While it joins nothing can be committed: what is uncommitted must not grow without bounds.
    const isFull = membership.isJoining && schedule.isFull(manager.tasks.running);
    const processed = !isFull && (await this.#process());
    input.resumeDrained(manager.tasks);
    await this.#punctuate();
    // User code may have waited for long: the join that went on meanwhile may have ended.
    if (membership.isInterrupted) return;
    const now = clock.nowMs();
    this.#options.metrics.observeLag(manager.tasks.running, input.fetcher, now);
    if (!membership.isJoining && schedule.due(manager.tasks.running, now)) await this.#commit();
    if (!membership.isJoining) manager.cleanIfDue();
    if (processed) await clock.sleep(0);
    else await this.#idle(signal, isFull);
  }

  /** @returns false when the loop has to begin again */
  async #keepMembership(signal: AbortSignal): Promise<boolean> {
    switch (this.#options.membership.next()) {
      case 'go-on':
        return true;
      case 'join':
        await this.#join(signal);
        return false;
      case 'take-over':
        await this.#takeOver(signal);
        return false;
      case 'abandon':
        this.#options.events.onRebalancing();
        await this.#recovery.abandon(signal);
        return false;
    }
  }

  /** Gives each task a turn, round after round, until nothing is left or the slice is over. */
  async #process(): Promise<boolean> {
    const { clock, manager, committer, events } = this.#options;
    const deadline = clock.monotonicMs() + SLICE_MS;
    let any = false;
    for (let progressed = true; progressed && clock.monotonicMs() < deadline; ) {
      progressed = false;
      for (const task of manager.tasks.running) {
        events.onTurn?.(task.id);
        if (task.asyncWork.held > 0 && task.forwardResults() > 0) progressed = true;
        if (task.process(RECORDS_PER_TURN, deadline) > 0) progressed = true;
        if (task.pending !== undefined) await task.pending;
      }
      any ||= progressed;
      if (committer.appender.backPressure) await committer.appender.drained();
    }
    events.onTurn?.(undefined);
    return any;
  }

  async #punctuate(): Promise<void> {
    const { manager, events } = this.#options;
    for (const task of manager.tasks.running) {
      events.onTurn?.(task.id);
      task.punctuate();
      if (task.pending !== undefined) await task.pending;
    }
    events.onTurn?.(undefined);
  }

  /**
   * Sleeps until records or results arrive, a join ends, a commit or a punctuation is due, or the poll interval is over.
   *
   * @param isFull records that are there cannot be taken before the join has ended
   */
  async #idle(signal: AbortSignal, isFull: boolean): Promise<void> {
    const { clock, manager, membership, schedule, input, pollMs } = this.#options;
    const now = clock.nowMs();
    const { isJoining } = membership;
    let waitMs = pollMs;
    for (const task of manager.tasks.running) {
      waitMs = Math.min(waitMs, task.nextWakeUpMs(now) - now);
      if (task.commitNeeded && !isJoining) waitMs = Math.min(waitMs, schedule.remainingMs(now));
    }
    if (input.fetcher.available && !isFull) return clock.sleep(0);
    const working = manager.tasks.running.filter(({ asyncWork }) => asyncWork.held > 0);
    const results = working.map(({ asyncWork }) => asyncWork.progress);
    const { joinEnded } = membership;
    const wait = isFull
      ? (until: AbortSignal): Promise<void> => clock.sleep(Math.max(0, waitMs), until).catch(() => undefined)
      : (until: AbortSignal): Promise<void> => input.fetcher.wait(Math.max(0, waitMs), until);
    if (results.length === 0 && joinEnded === undefined) return wait(signal);
    await untilFirst(results, joinEnded === undefined ? [signal] : [signal, joinEnded], wait);
  }

  /** The way of a commit: flush caches → changelogs → Kafka → local databases (in the background). */
  async #commit(): Promise<void> {
    const { clock, manager, member, schedule, purge, input } = this.#options;
    const running = manager.tasks.running;
    if (!(await this.#flush.flush(running))) return;
    const tasks = running.filter((task) => task.commitNeeded);
    if (tasks.length > 0) {
      await this.#writes.settled();
      for (const task of tasks) task.prepareCommit();
      const offsets = tasks.flatMap((task) => task.committableOffsets());
      // The heartbeat may find out between two steps that the group went on without this worker.
      if (member.metadata === undefined) throw membershipLost();
      await this.#commitToKafka(member.metadata, offsets);
      this.#writes.start(tasks);
      this.#options.metrics.commits.add(1);
      input.committed(offsets);
      purge.committed(offsets, clock.nowMs());
    }
    this.#recovery.committed();
    schedule.committed(clock.nowMs());
  }

  async #commitToKafka(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    const { committer, refused } = this.#options;
    try {
      await committer.commit(group, offsets);
    } catch (error) {
      if (refused.judge() !== 'go-on') throw error;
      await committer.commit(group, offsets);
    }
  }

  /** Begins to join. What can be committed without waiting is: until the join has ended nothing can. */
  async #join(signal: AbortSignal): Promise<void> {
    const { member, membership } = this.#options;
    if (member.state === 'rejoin-needed') await this.#commit();
    membership.beginJoin(signal);
  }

  /**
   * Makes the assignment so. Tasks that stay go on with their state, queues and positions; those that others are to have are
   * committed and closed. If this fails for a passing reason, the loop comes back to it: the group does not tell the assignment
   * twice.
   */
  async #takeOver(signal: AbortSignal): Promise<void> {
    const { manager, membership, events } = this.#options;
    const tasks = membership.assignment?.tasks ?? { active: [], standby: [] };
    const wanted = new Set(tasks.active.map(({ id }) => formatTaskId(id)));
    const hasGivenUp = manager.tasks.all.some(({ taskId }) => !wanted.has(taskId));
    if (hasGivenUp || wanted.size !== manager.tasks.size) events.onRebalancing();
    if (hasGivenUp) {
      membership.givesUp();
      await this.#commitForOthers();
    }
    await this.#writes.settled();
    await manager.assign(tasks, signal);
    membership.takenOver();
  }

  async #commitForOthers(): Promise<void> {
    this.#isGivingUp = true;
    try {
      await this.#commit();
    } finally {
      this.#isGivingUp = false;
    }
  }

  get #tenure(): Tenure {
    const { state } = this.#options.member;
    if (state === 'lost' || state === 'failed') return 'lost';
    if (this.#isGivingUp || this.#stop?.aborted === true) return 'leaving';
    return state === 'stable' ? 'keeps' : 'awaited';
  }

  async #commitBeforeStop(): Promise<void> {
    const { member, membership, manager, logger } = this.#options;
    if (manager.tasks.size === 0) return;
    // In the middle of a recovery the tasks hold what the producer has dropped already: to commit now would lose output.
    if (this.#recovery.isPending || membership.isInterrupted) return this.#recovery.discard();
    if (member.state !== 'stable' && member.state !== 'rejoin-needed') return;
    try {
      await this.#commit();
    } catch (error) {
      logger.warn('the last commit failed; what it held is processed again by the next owner', { error });
      await this.#recovery.discard();
    }
  }
}
