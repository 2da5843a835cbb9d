import type { Clock } from '@millrace/core';
import type { AsyncOperator, AsyncSettings } from '@millrace/topology';
import type { AsyncOutcome, AsyncRecord } from './async-record.ts';

/** Hears how calls go. Called from timers and promises, never while a record is processed. */
export interface AttemptListener {
  /** A function of the user runs now, or has ended (it may have been given up and run on all the same). */
  onOpenCalls(change: 1 | -1): void;
  /** An attempt has failed and another one follows. */
  onRetry(record: AsyncRecord, error: unknown): void;
  /** `record.outcome` is set. */
  onSettled(record: AsyncRecord): void;
}

/**
 * Calls the function of one operator: each attempt with a signal and a time limit, failed ones again after a pause.
 *
 * An attempt that has timed out counts as failed even if its function goes on; what it answers later is ignored.
 */
export class Attempts {
  readonly #operator: AsyncOperator;
  readonly #settings: AsyncSettings;
  readonly #clock: Clock;
  readonly #listener: AttemptListener;

  constructor(operator: AsyncOperator, settings: AsyncSettings, clock: Clock, listener: AttemptListener) {
    this.#operator = operator;
    this.#settings = settings;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Makes the next attempt. */
  start(record: AsyncRecord): void {
    const controller = new AbortController();
    record.attempt++;
    record.controller = controller;
    record.cancelTimer = this.#clock.setTimer(this.#settings.timeoutMs, () => this.#timeOut(record, controller));
    this.#listener.onOpenCalls(1);
    this.#call(record, controller.signal).then(
      (result) => this.#end(record, controller, { succeeded: true, result }),
      (error: unknown) => this.#end(record, controller, { succeeded: false, error }),
    );
  }

  /** Async, so that what the function throws before its first wait is a rejection like any other. */
  async #call(record: AsyncRecord, signal: AbortSignal): Promise<unknown> {
    const { key, value, attempt, topic, partition, offset, timestamp, headers } = record;
    return this.#operator.call(key, value, { signal, attempt, topic, partition, offset, timestamp, headers });
  }

  /** Gives up on a record: nobody wants its result any more. */
  abandon(record: AsyncRecord, reason: DOMException): void {
    this.#stopTimer(record);
    const { controller } = record;
    if (controller === undefined) return;
    record.controller = undefined;
    this.#listener.onOpenCalls(-1);
    controller.abort(reason);
  }

  #timeOut(record: AsyncRecord, controller: AbortController): void {
    const { timeoutMs, attempts } = this.#settings;
    const error = new DOMException(
      `attempt ${record.attempt} of ${attempts} did not answer within ${timeoutMs} ms; give it more time (timeoutMs), or more attempts (retry)`,
      'TimeoutError',
    );
    // First the signal: without a pause the next attempt begins at once.
    controller.abort(error);
    this.#end(record, controller, { succeeded: false, error });
  }

  /** Late answers of attempts that were given up find another controller, or none. */
  #end(record: AsyncRecord, controller: AbortController, outcome: AsyncOutcome): void {
    if (record.controller !== controller) return;
    this.#stopTimer(record);
    record.controller = undefined;
    this.#listener.onOpenCalls(-1);
    if (outcome.succeeded || record.attempt >= this.#settings.attempts) {
      record.outcome = outcome;
      this.#listener.onSettled(record);
      return;
    }
    this.#listener.onRetry(record, outcome.error);
    const pauseMs = this.#pauseMs(record.attempt);
    if (pauseMs === 0) this.start(record);
    else record.cancelTimer = this.#clock.setTimer(pauseMs, () => this.start(record));
  }

  #pauseMs(attempts: number): number {
    const { backoffMs, maxBackoffMs } = this.#settings;
    return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(attempts - 1, 50));
  }

  #stopTimer(record: AsyncRecord): void {
    record.cancelTimer?.();
    record.cancelTimer = undefined;
  }
}
