import type { Clock, Logger } from '@millrace/core';
import type { GroupMember } from '@millrace/client';
import type { Committer } from '../commit/committer.ts';
import type { TaskManager } from './task-manager.ts';

/** Failures with no more than this between them are of one time without room. */
const ONE_SPELL_MS = 10_000;
/** A disk that is full for a moment, as when a log is rotated, is not worth a rebalance. */
const PATIENCE_MS = 1_000;
/** Whether there is room again is cheap to ask. */
const ASK_EVERY_MS = 2_000;
/** Who comes back and has no room again within this time stays away for longer, up to this. */
const STAY_AWAY_MAX_MS = 300_000;

export interface FullDiskOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: Pick<GroupMember, 'leave'>;
  readonly manager: Pick<TaskManager, 'giveUpAll' | 'hasRoom'>;
  readonly committer: Pick<Committer, 'rollback' | 'restart'>;
}

/**
 * A worker on a disk that has no room for its state waits with its tasks at first. When that lasts it leaves the group, so that others
 * go on with them, and comes back when there is room. Each return moves tasks: on a disk that is full again and again it
 * stays away for longer each time.
 */
export class FullDisk {
  /** How often to ask for room while the worker has its tasks, ms. */
  readonly askEveryMs = ASK_EVERY_MS;
  readonly #options: FullDiskOptions;
  #sinceMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #returnedMs = Number.NEGATIVE_INFINITY;
  #stayAwayMs = ASK_EVERY_MS;

  constructor(options: FullDiskOptions) {
    this.#options = options;
  }

  /**
   * There was no room for state.
   *
   * @returns true when that has lasted so long that others should have the tasks
   */
  failed(): boolean {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#lastMs > ONE_SPELL_MS) this.#sinceMs = now;
    this.#lastMs = now;
    return now - this.#sinceMs >= PATIENCE_MS;
  }

  /** Drops what is uncommitted, closes all tasks and leaves the group. May be repeated when it fails for a passing reason. */
  async handOver(taskId: string): Promise<void> {
    const { clock, logger, committer, manager, member } = this.#options;
    logger.warn('the disk has no room for state; other workers get the tasks of this one until it has', { taskId });
    // First of all: readers of committed records wait for an open transaction.
    await committer.rollback();
    await manager.giveUpAll();
    await member.leave('its disk has no room for state');
    const isSoon = clock.monotonicMs() - this.#returnedMs < STAY_AWAY_MAX_MS;
    this.#stayAwayMs = isSoon ? Math.min(STAY_AWAY_MAX_MS, 4 * this.#stayAwayMs) : ASK_EVERY_MS;
  }

  /**
   * Waits until there is room; after that the group may be joined.
   *
   * @param taskId the task whose state found no room
   */
  async comeBack(taskId: string, signal: AbortSignal): Promise<void> {
    const { clock, logger, committer, manager } = this.#options;
    await clock.sleep(this.#stayAwayMs, signal);
    while (!(await manager.hasRoom(taskId))) await clock.sleep(ASK_EVERY_MS, signal);
    await committer.restart(signal);
    this.#returnedMs = clock.monotonicMs();
    this.#lastMs = Number.NEGATIVE_INFINITY;
    logger.info('the disk has room again; joining the group', { taskId });
  }
}
