import { TopologyError } from '@millrace/core';
import type { AsyncOrder, AsyncSettings } from '../node/async-operator.ts';

/** How a failed call of an asynchronous operator is made again. */
export interface RetryOptions {
  /** Calls per record, the first included · range 1–1 000 · default 3. */
  readonly attempts?: number;
  /** Pause before the second attempt; it doubles before each further one · ms · range 0–3 600 000 · default 100. */
  readonly backoffMs?: number;
  /** Longest pause · ms · at least `backoffMs` · default 10 000, or `backoffMs` if that is more. */
  readonly maxBackoffMs?: number;
}

/**
 * How an asynchronous operator makes its calls.
 *
 * A commit waits until every record that was taken has been forwarded or has failed, so one record may hold it up for as long as
 * all its attempts and pauses take. A function that never ends is cut off by `timeoutMs`.
 */
export interface AsyncOptions {
  /**
   * Records that the operator holds at a time, in each task: called or waiting, and not forwarded yet. When it is used up the task
   * takes no more. Range 1–100 000 · default 16.
   */
  readonly concurrency?: number;
  /** Limit of one attempt; its signal fires then, and it counts as failed · ms · range 1–3 600 000 · default 10 000. */
  readonly timeoutMs?: number;
  /** Default: no second attempt; what fails goes to the processing error handler. */
  readonly retry?: RetryOptions;
  /** Which records keep their order. Default `perKey`. */
  readonly order?: AsyncOrder;
}

const RANGES = {
  concurrency: [1, 100_000],
  timeoutMs: [1, 3_600_000],
  attempts: [1, 1000],
  backoffMs: [0, 3_600_000],
  maxBackoffMs: [0, 3_600_000],
} as const;

const ORDERS: readonly AsyncOrder[] = ['perKey', 'perPartition', 'none'];

/**
 * Fills in the defaults.
 *
 * @param node for the message
 * @throws TopologyError `INVALID_ASYNC_OPTIONS` that lists all problems, each with the option, its value and what is accepted
 */
export function resolveAsyncOptions(options: AsyncOptions, node: string): AsyncSettings {
  const { concurrency = 16, timeoutMs = 10_000, retry, order = 'perKey' } = options;
  const { attempts = retry === undefined ? 1 : 3, backoffMs = 100, maxBackoffMs = Math.max(10_000, backoffMs) } = retry ?? {};
  const settings = { concurrency, timeoutMs, attempts, backoffMs, maxBackoffMs, order };
  const problems = [...rangeProblems(settings), ...relationProblems(settings)];
  if (problems.length === 0) return settings;
  throw new TopologyError('INVALID_ASYNC_OPTIONS', `the options cannot be used: ${problems.join('; ')}`, { node });
}

function rangeProblems(settings: AsyncSettings): string[] {
  return Object.entries(RANGES).flatMap(([name, [min, max]]) => {
    const value = settings[name as keyof typeof RANGES];
    if (Number.isInteger(value) && value >= min && value <= max) return [];
    return [`${name} is ${String(value)}, give an integer from ${min} to ${max}`];
  });
}

function relationProblems({ backoffMs, maxBackoffMs, order }: AsyncSettings): string[] {
  const problems: string[] = [];
  if (maxBackoffMs < backoffMs) problems.push(`maxBackoffMs is ${maxBackoffMs}, give at least backoffMs, which is ${backoffMs}`);
  if (!ORDERS.includes(order)) problems.push(`order is ${JSON.stringify(order)}, give one of ${ORDERS.join(', ')}`);
  return problems;
}
