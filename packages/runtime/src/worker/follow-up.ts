import type { LeadersWord } from '../assignment/read-assignment.ts';

/** How often the state that is being warmed up is looked at: that may read files. */
const LOOK_MS = 1_000;

/**
 * Says when a worker has to ask for another rebalance by itself: when a state that it warms up has got to where its task can
 * move, or after the time that the leader set.
 *
 * Kafka Streams has only the latter (the probing rebalance); a task then moves up to ten minutes after its state is there.
 */
export class FollowUp {
  readonly #goals: ReadonlyMap<string, number>;
  readonly #atMs: number;
  #lookAtMs: number;

  /** @param nowMs monotonic, as everywhere here */
  constructor({ warmUpGoals, nextRebalanceMs }: Pick<LeadersWord, 'warmUpGoals' | 'nextRebalanceMs'>, nowMs: number) {
    this.#goals = warmUpGoals;
    this.#atMs = nextRebalanceMs < 0 ? Number.POSITIVE_INFINITY : nowMs + nextRebalanceMs;
    this.#lookAtMs = nowMs + LOOK_MS;
  }

  /** The reason to ask for a rebalance now, if there is one. */
  due(nowMs: number, stateOffsets: () => ReadonlyMap<string, number>): string | undefined {
    if (nowMs >= this.#atMs) return 'a probing rebalance is due';
    if (this.#goals.size === 0 || nowMs < this.#lookAtMs) return undefined;
    this.#lookAtMs = nowMs + LOOK_MS;
    const offsets = stateOffsets();
    const ready = [...this.#goals].find(([task, goal]) => (offsets.get(task) ?? -1) >= goal);
    return ready === undefined ? undefined : `the state of task ${ready[0]} has caught up`;
  }
}
