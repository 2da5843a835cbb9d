import type { Counter, Metrics } from '@millrace/core';

/** Name of the counter of dropped records. Kafka: `dropped-records-total`. */
export const DROPPED_RECORDS = 'millrace_task_records_dropped_total';
/** Kafka: `process-total`. */
export const PROCESSED_RECORDS = 'millrace_task_records_processed_total';
/** Records written by sinks, repartition topics among them. Kafka: `records-produced-total`. */
export const SENT_RECORDS = 'millrace_task_records_sent_total';
/** Kafka: `punctuate-total`. */
export const PUNCTUATIONS = 'millrace_task_punctuations_total';

/** Calls of asynchronous operators that failed and were made again. */
export const ASYNC_RETRIES = 'millrace_task_async_retries_total';

/** The figures of one task; instruments are made once. */
export class TaskMetrics {
  readonly processed: Counter;
  readonly sent: Counter;
  readonly punctuations: Counter;
  readonly #metrics: Metrics;
  readonly #taskId: string;
  readonly #dropped = new Map<string, Counter>();

  constructor(metrics: Metrics, taskId: string) {
    this.#metrics = metrics;
    this.#taskId = taskId;
    this.processed = metrics.counter(PROCESSED_RECORDS, 'Input records processed.', { task: taskId });
    this.sent = metrics.counter(SENT_RECORDS, 'Records written by sinks.', { task: taskId });
    this.punctuations = metrics.counter(PUNCTUATIONS, 'Punctuators called.', { task: taskId });
  }

  /** Counts a dropped record. @param reason a short fixed text: each makes a time series */
  countDropped(node: string, reason: string): void {
    const id = `${node}\n${reason}`;
    let counter = this.#dropped.get(id);
    if (counter === undefined) {
      const labels = { task: this.#taskId, node, reason };
      counter = this.#metrics.counter(DROPPED_RECORDS, 'Records dropped before or while they were processed.', labels);
      this.#dropped.set(id, counter);
    }
    counter.add(1);
  }

  countRetry(node: string): void {
    const labels = { task: this.#taskId, node };
    this.#metrics.counter(ASYNC_RETRIES, 'Calls of asynchronous operators that failed and were made again.', labels).add(1);
  }
}
