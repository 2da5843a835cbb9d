import { formatTaskId, type TaskId } from '@millrace/core';

const NONE: ReadonlySet<string> = new Set();

/**
 * Tasks that members get as soon as others have given them up: what the leader has meant in one rebalance it keeps to in the next.
 *
 * The member that gives a task up commits once more. By then the one that was to have it may lack more than the acceptable lag, and
 * the other one, whose state is complete, would get it back, for ever.
 */
export class PromisedTasks {
  #byMember: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #newestGeneration = -1;

  /**
   * What was promised to the member.
   *
   * @param newestGeneration of those that the members come from; a promise is void after a rebalance that somebody else has led
   */
  to(memberId: string, newestGeneration: number): ReadonlySet<string> {
    return newestGeneration === this.#newestGeneration + 1 ? (this.#byMember.get(memberId) ?? NONE) : NONE;
  }

  /** Replaces all promises. */
  note(promises: readonly (readonly [memberId: string, tasks: readonly TaskId[]])[], newestGeneration: number): void {
    this.#byMember = new Map(promises.map(([memberId, tasks]) => [memberId, new Set(tasks.map(formatTaskId))]));
    this.#newestGeneration = newestGeneration;
  }
}
