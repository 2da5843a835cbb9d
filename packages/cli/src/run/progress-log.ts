import type { Cancel, Clock, Logger } from '@millrace/core';
import type { RunMonitor } from '../view/run-monitor.ts';
import type { ViewSnapshot } from '../view/snapshot.ts';

/** Often enough for a graph, seldom enough for a log. */
const INTERVAL_MS = 10_000;

/** Writes a line with the figures of the view every ten seconds, and one at the end. */
export class ProgressLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #monitor: RunMonitor;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, logger: Logger, monitor: RunMonitor) {
    this.#clock = clock;
    this.#logger = logger;
    this.#monitor = monitor;
  }

  start(): void {
    this.#write();
    this.#cancel = this.#clock.setTimer(INTERVAL_MS, () => this.start());
  }

  stop(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#write();
  }

  #write(): void {
    this.#logger.info('progress', fieldsOf(this.#monitor.snapshot()));
  }
}

function fieldsOf(snapshot: ViewSnapshot): { readonly [name: string]: unknown } {
  const { state, tasks, restores, recordsIn, recordsOut, commits, dropped, lag } = snapshot;
  return {
    state,
    tasks: tasks.length,
    recordsIn: recordsIn.total,
    recordsInPerSecond: Math.round(recordsIn.perSecond),
    ...(recordsOut === undefined ? {} : { recordsOut: recordsOut.total, recordsOutPerSecond: Math.round(recordsOut.perSecond) }),
    ...(commits === undefined ? {} : { commits: commits.total }),
    ...(lag === undefined ? {} : { lag }),
    dropped,
    ...(restores.length === 0 ? {} : { restoring: restores.map(({ taskId, store, fraction }) => ({ taskId, store, fraction })) }),
  };
}
