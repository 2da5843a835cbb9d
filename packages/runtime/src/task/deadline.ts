import { type Clock, ProcessingError, type RecordContext } from '@millrace/core';

export interface DeadlineOptions {
  readonly clock: Clock;
  /** Unit ms. */
  readonly timeoutMs: number;
  readonly taskId: string;
  /** The node whose user code is waited for, if it is known. */
  readonly node: string | undefined;
  /** Of the record that is being processed now. */
  readonly recordContext: RecordContext;
}

/**
 * The same work, but it fails when it takes too long: a promise that never resolves would otherwise hold up the task, and with
 * it the commits of the whole worker, without a word.
 *
 * Source: the purpose of Kafka's `max.poll.interval.ms`.
 * @throws ProcessingError `PROCESSING_TIMEOUT` with the place of the record
 */
export function withDeadline(work: Promise<void>, options: DeadlineOptions): Promise<void> {
  const { clock, timeoutMs, taskId, node } = options;
  const { topic, partition, offset } = options.recordContext;
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(timeoutMs, () => {
      const where = topic === undefined ? {} : { topic, partition, offset };
      const message = `user code has not finished after ${timeoutMs} ms: make it faster, or raise processingTimeoutMs`;
      reject(new ProcessingError('PROCESSING_TIMEOUT', message, { taskId, ...where, ...(node === undefined ? {} : { node }) }));
    });
    work.finally(cancel).then(resolve, reject);
  });
}
