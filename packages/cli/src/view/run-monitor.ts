import type { AppState, ResolvedSettings } from 'millrace';
import type { Clock, MetricSample, MetricsRegistry } from '@millrace/core';
import { metricNames } from './metric-names.ts';
import { RateMeter } from './rate-meter.ts';
import { RestoreBoard } from './restore-board.ts';
import type { Flow, TaskView, ViewSnapshot } from './snapshot.ts';

export interface RunMonitorOptions {
  readonly applicationId: string;
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
}

/** Watches an application and says at any moment how it is doing. */
export class RunMonitor {
  /** To be told what is restored. */
  readonly board: RestoreBoard;
  readonly #options: RunMonitorOptions;
  readonly #in = new RateMeter();
  readonly #out = new RateMeter();
  readonly #commits = new RateMeter();
  #state: AppState = 'created';
  #stateSinceMs: number;
  #guarantee = '';

  constructor(options: RunMonitorOptions) {
    this.#options = options;
    this.board = new RestoreBoard();
    this.#stateSinceMs = options.clock.monotonicMs();
  }

  onSettings({ guarantee }: Pick<ResolvedSettings, 'guarantee'>): void {
    this.#guarantee = guarantee;
  }

  onStateChange(state: AppState): void {
    this.#state = state;
    this.#stateSinceMs = this.#options.clock.monotonicMs();
  }

  snapshot(): ViewSnapshot {
    const { applicationId, brokers, clock, metrics } = this.#options;
    const now = clock.monotonicMs();
    const samples = metrics.samples();
    const restores = this.board.views();
    const out = totalOf(samples, metricNames.recordsOut);
    const commits = totalOf(samples, metricNames.commits);
    return {
      applicationId,
      brokers,
      guarantee: this.#guarantee,
      state: this.#state,
      stateForMs: now - this.#stateSinceMs,
      tasks: tasksOf(samples, new Set(restores.map(({ taskId }) => taskId))),
      restores,
      recordsIn: flowOf(totalOf(samples, metricNames.recordsIn) ?? 0, this.#in, now),
      recordsOut: out === undefined ? undefined : flowOf(out, this.#out, now),
      commits: commits === undefined ? undefined : flowOf(commits, this.#commits, now),
      dropped: totalOf(samples, metricNames.dropped) ?? 0,
      lag: totalOf(samples, metricNames.lag),
    };
  }
}

function flowOf(total: number, meter: RateMeter, nowMs: number): Flow {
  return { total, perSecond: meter.read(total, nowMs) };
}

/** The sum over all series of the name; `undefined` when there is none. */
function totalOf(samples: readonly MetricSample[], name: string): number | undefined {
  const named = samples.filter((sample) => sample.name === name);
  return named.length === 0 ? undefined : named.reduce((sum, { value }) => sum + value, 0);
}

/** A task has its counters from the moment it is opened. */
function tasksOf(samples: readonly MetricSample[], restoring: ReadonlySet<string>): TaskView[] {
  const ids = new Set(restoring);
  for (const { name, labels } of samples) {
    if (name === metricNames.recordsIn && labels.task !== undefined) ids.add(labels.task);
  }
  return [...ids].sort().map((id) => ({ id, phase: restoring.has(id) ? 'restoring' : 'running' }));
}
