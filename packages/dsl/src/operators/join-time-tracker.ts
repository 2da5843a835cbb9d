import type { RecordContext } from '@millrace/core';
import type { NodeContext } from '@millrace/topology';

/** What the two nodes of one left or outer join know in common, within one task. */
export class JoinTimeTracker {
  /** Highest timestamp seen on either side; −1 before the first record. */
  streamTime = -1;
  /**
   * Lower bound for the pending records' timestamps, as Kafka Streams keeps it: after a scan it is the time of the last
   * entry visited, which may be later than the oldest one pending, so that the next emission comes later than it could.
   * `undefined` when nothing is known to be pending, as after a restart: then looking is always worth while.
   */
  minPendingTime: number | undefined = undefined;
  /** Wall-clock time before which no expired records are looked for. */
  nextEmitTimeMs = 0;

  observe(timestamp: number): void {
    if (timestamp > this.streamTime) this.streamTime = timestamp;
  }

  reset(): void {
    this.streamTime = -1;
    this.minPendingTime = undefined;
    this.nextEmitTimeMs = 0;
  }
}

/**
 * Gives the nodes of one join that run in the same task the same tracker.
 *
 * The record context is the one object that all nodes of a task share, and it goes when the task goes.
 */
export class JoinTimeTrackers {
  readonly #byTask = new WeakMap<RecordContext, JoinTimeTracker>();

  of(context: NodeContext): JoinTimeTracker {
    let tracker = this.#byTask.get(context.recordContext);
    if (tracker === undefined) {
      tracker = new JoinTimeTracker();
      this.#byTask.set(context.recordContext, tracker);
    }
    return tracker;
  }
}
