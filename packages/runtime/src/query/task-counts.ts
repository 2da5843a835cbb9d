import { RetriableError, type Clock } from '@millrace/core';
import type { Admin } from '@millrace/client';
import { resolvePartitionCounts, type TopologyPlan } from '@millrace/topology';
import { externalCounts } from '../assignment/plan-tasks.ts';

/** Partitions are added to topics rarely, and a store does not grow with them before the next rebalance. */
const FRESH_MS = 60_000;

export interface TaskCountsOptions {
  readonly plan: TopologyPlan;
  readonly admin: Admin;
  readonly clock: Clock;
}

/** How many tasks each sub-topology has in the whole group; looked up when it is asked for, at most once a minute. */
export class TaskCounts {
  readonly #options: TaskCountsOptions;
  #counts: Promise<ReadonlyMap<number, number>> | undefined;
  #freshUntilMs = 0;

  constructor(options: TaskCountsOptions) {
    this.#options = options;
  }

  /** @throws RetriableError when the broker cannot be asked */
  async of(subtopology: number): Promise<number> {
    const now = this.#options.clock.monotonicMs();
    if (this.#counts === undefined || now >= this.#freshUntilMs) {
      this.#counts = this.#lookUp();
      this.#freshUntilMs = now + FRESH_MS;
    }
    return (await this.#counts).get(subtopology) ?? 0;
  }

  async #lookUp(): Promise<ReadonlyMap<number, number>> {
    const { plan, admin } = this.#options;
    try {
      return resolvePartitionCounts(plan, await externalCounts(plan, admin)).tasks;
    } catch (error) {
      this.#counts = undefined;
      throw new RetriableError(
        'STORE_NOT_READY',
        'the number of partitions of the store could not be looked up; ask again later',
        {
          cause: error,
        },
      );
    }
  }
}
