import type { LeadersWord } from '../assignment/read-assignment.ts';

/** How often the state that is being warmed up is looked at: that may read files. */
const LOOK_MS = 1_000;
/** The longest time between two looks when a task does not move although its state seemed to be there. */
const LOOK_MAX_MS = 60_000;

/**
 * Says when a worker has to ask for another rebalance by itself: when a state that it warms up has got to where its task can
 * move, or after the time that the leader set.
 *
 * Kafka Streams has only the latter (the probing rebalance); a task then moves up to ten minutes after its state is there.
 */
export class FollowUp {
  readonly #goals: ReadonlyMap<string, number>;
  readonly #atMs: number;
  readonly #lookMs: number;
  #lookAtMs: number;
  /** The task whose state had caught up. */
  #ready: string | undefined;

  /**
   * @param nowMs monotonic, as everywhere here
   * @param before what followed the assignment before: if that rebalance did not move the task (records come faster than the
   * acceptable lag allows), the next one is asked for later
   */
  constructor(
    { warmUpGoals, nextRebalanceMs }: Pick<LeadersWord, 'warmUpGoals' | 'nextRebalanceMs'>,
    nowMs: number,
    before?: FollowUp,
  ) {
    this.#goals = warmUpGoals;
    this.#atMs = nextRebalanceMs < 0 ? Number.POSITIVE_INFINITY : nowMs + nextRebalanceMs;
    this.#lookMs = before === undefined ? LOOK_MS : before.#nextLookMs(warmUpGoals);
    this.#lookAtMs = nowMs + this.#lookMs;
  }

  #nextLookMs(goals: ReadonlyMap<string, number>): number {
    const wasInVain = this.#ready !== undefined && goals.has(this.#ready);
    return wasInVain ? Math.min(LOOK_MAX_MS, 2 * this.#lookMs) : LOOK_MS;
  }

  /** The reason to ask for a rebalance now, if there is one. */
  due(nowMs: number, stateOffsets: () => ReadonlyMap<string, number>): string | undefined {
    if (nowMs >= this.#atMs) return 'a probing rebalance is due';
    if (this.#goals.size === 0 || nowMs < this.#lookAtMs) return undefined;
    this.#lookAtMs = nowMs + this.#lookMs;
    const offsets = stateOffsets();
    for (const [task, goal] of this.#goals) {
      if ((offsets.get(task) ?? -1) < goal) continue;
      this.#ready = task;
      return `the state of task ${task} has caught up`;
    }
    return undefined;
  }
}
