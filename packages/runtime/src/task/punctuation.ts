import { TopologyError } from '@millrace/core';
import type { Cancellable, Punctuator } from '@millrace/topology';

/** A punctuator, and when it is next due. */
export class PunctuationSchedule implements Cancellable {
  readonly node: string;
  readonly intervalMs: number;
  readonly punctuator: Punctuator;
  dueMs: number;
  cancelled = false;

  constructor(node: string, firstMs: number, intervalMs: number, punctuator: Punctuator) {
    this.node = node;
    this.dueMs = firstMs;
    this.intervalMs = intervalMs;
    this.punctuator = punctuator;
  }

  cancel(): void {
    this.cancelled = true;
  }

  /** Moves to the first time on the schedule's own grid that lies after `nowMs`: missed intervals fire once. */
  moveBeyond(nowMs: number): void {
    const missed = Math.floor((nowMs - this.dueMs) / this.intervalMs);
    this.dueMs += (missed + 1) * this.intervalMs;
  }
}

/**
 * The schedules of one task for one kind of time, ordered by due time; those due at the same time in the order in which they
 * were put there.
 *
 * Source: Kafka Streams `PunctuationQueue`.
 */
export class PunctuationQueue {
  readonly #schedules: PunctuationSchedule[] = [];

  /**
   * @param firstMs when it is due for the first time
   * @param intervalMs at least 1
   */
  add(node: string, firstMs: number, intervalMs: number, punctuator: Punctuator): Cancellable {
    if (!Number.isInteger(intervalMs) || intervalMs < 1) {
      throw new TopologyError(
        'INVALID_INTERVAL',
        `a punctuation interval of ${intervalMs} ms is not possible; give an integer of at least 1`,
        { node },
      );
    }
    const schedule = new PunctuationSchedule(node, firstMs, intervalMs, punctuator);
    this.#insert(schedule);
    return schedule;
  }

  /** When something is due next; Infinity when nothing is scheduled. */
  get nextMs(): number {
    this.#dropCancelled();
    return this.#schedules[0]?.dueMs ?? Infinity;
  }

  /**
   * Takes out the schedule that is due first and moves it on to its next time, so that one which punctuates itself away, or
   * adds another, finds the queue in order.
   *
   * @returns `undefined` when nothing is due at `nowMs`
   */
  takeDue(nowMs: number): PunctuationSchedule | undefined {
    if (this.nextMs > nowMs) return undefined;
    const schedule = this.#schedules.shift();
    if (schedule === undefined) return undefined;
    schedule.moveBeyond(nowMs);
    this.#insert(schedule);
    return schedule;
  }

  clear(): void {
    this.#schedules.length = 0;
  }

  #insert(schedule: PunctuationSchedule): void {
    let at = this.#schedules.length;
    while (at > 0 && (this.#schedules[at - 1] as PunctuationSchedule).dueMs > schedule.dueMs) at--;
    this.#schedules.splice(at, 0, schedule);
  }

  #dropCancelled(): void {
    while (this.#schedules[0]?.cancelled === true) this.#schedules.shift();
  }
}
