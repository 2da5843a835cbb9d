/**
 * Asynchronous operators without a task, for their tests: a clock to move, and operators that write down what happens.
 *
 * @module
 */
import { NO_HEADERS, RecordContext } from '@millrace/core';
import type { AsyncCall, AsyncLane, AsyncSettings } from '@millrace/topology';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { AsyncWork } from './async-work.ts';

/** An output, with the context in which it was forwarded. */
export interface ForwardedResult {
  readonly key: unknown;
  readonly result: unknown;
  readonly offset: number;
}

export interface FailedRecord {
  readonly key: unknown;
  readonly error: unknown;
  readonly offset: number;
}

export const DEFAULTS: AsyncSettings = {
  concurrency: 16,
  timeoutMs: 1000,
  attempts: 1,
  backoffMs: 100,
  maxBackoffMs: 10_000,
  order: 'perKey',
};

export type StagedCall = (value: unknown, call: AsyncCall, key: unknown) => PromiseLike<unknown>;

export class AsyncStage {
  readonly clock = new ManualClock();
  readonly context = new RecordContext();
  readonly forwarded: ForwardedResult[] = [];
  readonly failed: FailedRecord[] = [];
  /** What the processing handler answers: an error stops the task. */
  onError: 'continue' | 'fail' = 'continue';
  readonly work = new AsyncWork({
    clock: this.clock,
    recordContext: this.context,
    sources: { keep: () => undefined, resume: () => undefined },
    onRetry: () => undefined,
    onProcessingError: (_node, error, key) => {
      this.failed.push({ key, error, offset: this.context.offset });
      if (this.onError === 'fail') throw error;
    },
  });
  #offset = 0;

  /** Adds an operator; its results go to `forwarded`, or to another lane. */
  lane(call: StagedCall, settings: Partial<AsyncSettings> = {}, to?: AsyncLane): AsyncLane {
    const operator = {
      call: (key: unknown, value: unknown, told: AsyncCall) => call(value, told, key),
      complete: (result: unknown, key: unknown) => {
        if (to !== undefined) to.submit(key, result, this.context.timestamp, this.context.headers);
        else this.forwarded.push({ key, result, offset: this.context.offset });
      },
    };
    return this.work.addLane(`node-${to === undefined ? 'last' : 'first'}`, operator, { ...DEFAULTS, ...settings });
  }

  /** Hands in a record as the task would, at the next offset. */
  submit(lane: AsyncLane, key: unknown, value: unknown, topic = 'in'): void {
    const offset = this.#offset++;
    this.context.set(topic, 0, offset, offset, NO_HEADERS);
    lane.submit(key, value, offset, NO_HEADERS);
  }

  /** What the task's loop does with results, after promises have had their turn. */
  async forward(): Promise<number> {
    await this.clock.settle();
    return this.work.forward(() => true);
  }

  get results(): unknown[] {
    return this.forwarded.map(({ result }) => result);
  }
}

/** Calls that the test ends, found by their value. */
export class OpenCalls {
  readonly started: unknown[] = [];
  readonly signals = new Map<unknown, AbortSignal>();
  readonly #open = new Map<unknown, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>();

  readonly call: StagedCall = (value, { signal }) => {
    this.started.push(value);
    this.signals.set(value, signal);
    return new Promise((resolve, reject) => this.#open.set(value, { resolve, reject }));
  };

  resolve(...values: unknown[]): void {
    for (const value of values) this.#open.get(value)?.resolve(value);
  }

  reject(value: unknown, error: unknown): void {
    this.#open.get(value)?.reject(error);
  }
}
