import type { Headers } from '@millrace/core';

/**
 * Which records of an asynchronous operator leave it in the order in which they came.
 *
 * - `perKey`: those of one key; a call begins when the record before it has been forwarded. Records without key have no order.
 * - `perPartition`: all of one input partition. Calls of different keys still run side by side; a slow one holds up the results
 *   behind it.
 * - `none`: none; results leave as they come in.
 */
export type AsyncOrder = 'perKey' | 'perPartition' | 'none';

/** How an asynchronous operator makes its calls, with nothing left open. */
export interface AsyncSettings {
  /** Records that the operator holds at a time, per task: called or waiting for their turn, and not forwarded yet. */
  readonly concurrency: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Calls per record, the first included. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly order: AsyncOrder;
}

/** What a function of an asynchronous operator is told besides key and value. */
export interface AsyncCall {
  /**
   * Aborts when the attempt has timed out (`reason.name` is `TimeoutError`) or nobody wants its result any more because the task
   * was revoked, rolled back or closed (`AbortError`). Pass it on to `fetch` and the like.
   */
  readonly signal: AbortSignal;
  /** 1 for the first call for this record, 2 for its first repetition, and so on. */
  readonly attempt: number;
  /**
   * Where the record comes from: together an idempotency key, since the same record may be called for again after a crash.
   * `undefined` and −1 when a punctuator made it.
   */
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  /** Event time in ms. */
  readonly timestamp: number;
  readonly headers: Headers;
}

/** The two halves of an asynchronous operator. */
export interface AsyncOperator {
  /** One attempt, beside the work of the task: it may neither forward nor write to stores. What it throws counts as rejected. */
  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown>;
  /** Takes the result, from the task's loop, while the record context is that of the record: forwards, writes to stores. */
  complete(result: unknown, key: unknown, value: unknown, timestamp: number, headers: Headers): void;
}

/** Where an asynchronous operator hands in its records. */
export interface AsyncLane {
  /** Takes the current record over. The task takes no further record while the operator holds as many as it may. */
  submit(key: unknown, value: unknown, timestamp: number, headers: Headers): void;
}
