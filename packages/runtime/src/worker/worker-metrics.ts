import { topicPartitionKey, type Counter, type Gauge, type Metrics } from '@millrace/core';
import type { Fetcher } from '@millrace/client';
import type { StreamTask } from '../task/stream-task.ts';

/** Commits of the worker. Kafka: `commit-total`. */
export const COMMITS = 'millrace_worker_commits_total';
/** Records between the position of an input partition and its end. Kafka: `records-lag`. */
export const LAG = 'millrace_task_lag_records';

/** How often the lag is looked at. */
const LAG_INTERVAL_MS = 1000;

/** The figures of a worker. */
export class WorkerMetrics {
  readonly commits: Counter;
  readonly #metrics: Metrics;
  readonly #lags = new Map<string, Gauge>();
  #nextLagMs = 0;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.commits = metrics.counter(COMMITS, 'Commits of the worker.');
  }

  /** Looks at the lag of each input partition, once a second; cheap otherwise. */
  observeLag(tasks: readonly StreamTask[], fetcher: Fetcher, nowMs: number): void {
    if (nowMs < this.#nextLagMs) return;
    this.#nextLagMs = nowMs + LAG_INTERVAL_MS;
    for (const task of tasks) {
      for (const { topic, partition } of task.inputPartitions) {
        const bounds = fetcher.bounds(topic, partition);
        if (bounds === undefined) continue;
        this.#gauge(task.taskId, topic, partition).set(Math.max(0, bounds.highWatermark - fetcher.position(topic, partition)));
      }
    }
  }

  #gauge(task: string, topic: string, partition: number): Gauge {
    const key = topicPartitionKey(topic, partition);
    let gauge = this.#lags.get(key);
    if (gauge === undefined) {
      const labels = { task, topic, partition: String(partition) };
      gauge = this.#metrics.gauge(LAG, 'Records between the position and the end of an input partition.', labels);
      this.#lags.set(key, gauge);
    }
    return gauge;
  }
}
