import {
  RetriableError,
  TaskCorruptedError,
  TaskMigratedError,
  TransactionAbortedError,
  type Clock,
  type Logger,
} from '@millrace/core';
import type { GroupMember } from '@millrace/client';
import type { Committer } from '../commit/committer.ts';
import { isDiskFull } from '../restore/revival-limit.ts';
import { Backoff } from './backoff.ts';
import { FullDisk } from './full-disk.ts';
import type { LocalWrites } from './local-writes.ts';
import type { Membership } from './membership.ts';
import type { TaskManager } from './task-manager.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

export interface RecoveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: Pick<GroupMember, 'leave' | 'requestRejoin'>;
  readonly membership: Pick<Membership, 'isJoining' | 'abandoned'>;
  readonly committer: Pick<Committer, 'rollback' | 'restart'>;
  readonly manager: Pick<TaskManager, 'closeAll' | 'giveUpAll' | 'hasRoom' | 'reviveCorrupted' | 'rollbackAll'>;
  readonly writes: Pick<LocalWrites, 'settled'>;
  /** The tasks stop for a while. */
  readonly onRebalancing: () => void;
}

type Step = (signal: AbortSignal) => Promise<void>;

/**
 * What a worker has to do before it goes on after an error: the error's class says what. A step that fails is planned anew by its
 * own error, after a pause that grows until a commit succeeds.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #backoff: Backoff;
  readonly #fullDisk: FullDisk;
  #step: Step | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    this.#fullDisk = new FullDisk(options);
  }

  /** True until what is planned has succeeded. Meanwhile the tasks may hold what the producer has dropped already. */
  get isPending(): boolean {
    return this.#step !== undefined;
  }

  /** The worker begins with this. */
  begin(step: Step): void {
    this.#step = step;
  }

  /** Does what is planned, if anything is. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#step === undefined) return;
    await this.#backoff.wait(signal);
    await this.#step(signal);
    this.#step = undefined;
  }

  /** A commit went well: the next failure is a new one. */
  committed(): void {
    this.#backoff.reset();
  }

  /** Plans what the class of the error asks for. @throws the error, if it ends the worker; nothing uncommitted is left then */
  async plan(error: unknown): Promise<void> {
    const { logger, onRebalancing } = this.#options;
    if (error instanceof TaskMigratedError) {
      logger.warn('the tasks of this worker belong to another one; joining the group again', { error });
      onRebalancing();
      this.#step = (signal) => this.#migrate(signal);
    } else if (error instanceof TaskCorruptedError && error.taskId !== undefined) {
      logger.warn('the local state of a task has failed; it is opened anew, and restored', { error });
      onRebalancing();
      const { taskId } = error;
      this.#step = (signal) => this.#revive(taskId, error, signal);
      if (isDiskFull(error)) this.#planRoom(taskId);
    } else if (error instanceof TransactionAbortedError || error instanceof RetriableError) {
      logger.warn('going back to the last commit', { error });
      this.#step ??= (signal) => this.#rollback(signal);
    } else {
      await this.discard();
      throw error;
    }
  }

  /** Drops all tasks with what they have not committed: somebody else has them. */
  async abandon(signal: AbortSignal): Promise<void> {
    const { writes, manager, membership, committer } = this.#options;
    await writes.settled();
    await manager.closeAll(false);
    membership.abandoned();
    this.#step = (again) => committer.restart(again);
    await this.#step(signal);
    this.#step = undefined;
  }

  /** Drops all tasks with what they have not committed, because the worker ends. */
  async discard(): Promise<void> {
    const { committer, manager, logger } = this.#options;
    await committer.rollback().catch((cause: unknown) => logger.warn('could not abort', { error: cause }));
    await manager.closeAll(false).catch((cause: unknown) => logger.warn('could not close the tasks', { error: cause }));
  }

  async #migrate(signal: AbortSignal): Promise<void> {
    this.#options.member.requestRejoin('the tasks migrated');
    await this.abandon(signal);
  }

  async #rollback(signal: AbortSignal): Promise<void> {
    const { writes, committer, manager } = this.#options;
    await writes.settled();
    await committer.rollback();
    await manager.rollbackAll(signal);
  }

  async #revive(taskId: string, cause: TaskCorruptedError, signal: AbortSignal): Promise<void> {
    await this.#options.writes.settled().catch(() => undefined);
    // Before the others go back: going back would read the state that cannot be trusted.
    await this.#options.manager.reviveCorrupted(taskId, cause);
    this.#step = (again) => this.#rollback(again);
    await this.#step(signal);
  }

  #planRoom(taskId: string): void {
    this.#backoff.hasten(this.#fullDisk.askEveryMs);
    const handsOver = this.#fullDisk.failed() && !this.#options.membership.isJoining;
    if (handsOver) this.#step = (signal) => this.#handOver(taskId, signal);
  }

  async #handOver(taskId: string, signal: AbortSignal): Promise<void> {
    await this.#options.writes.settled().catch(() => undefined);
    await this.#fullDisk.handOver(taskId);
    this.#step = (again) => this.#fullDisk.comeBack(taskId, again);
    await this.#step(signal);
  }
}
