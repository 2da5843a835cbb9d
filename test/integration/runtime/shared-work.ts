import { expect } from 'vitest';
import type { InputRecord } from './cluster.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import type { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

/** The input of a test: so many keys, at least so many records of each, written at a steady pace. */
export interface Workload {
  readonly keys: number;
  readonly perKey: number;
  readonly perSecond: number;
}

/** Longer than it takes to start processes and to miss one that died on a machine with much else to do. Unit ms. */
const SHARING_MS = 90_000;

/** Waits until the workers together run every task of the one sub-topology once, each its share. */
export async function shareTasks(partitions: number, workers: readonly Worker[]): Promise<void> {
  const shares = workers.map(() => partitions / workers.length);
  const all = Array.from({ length: partitions }, (_, partition) => `0_${partition}`);
  const shared = () => ({
    shares: workers.map(({ tasks, state }) => (state === 'running' ? tasks.length : 0)),
    // What one has lost without knowing it yet, another one has as well.
    all: workers.flatMap(({ tasks }) => tasks).sort(),
  });
  try {
    await expect.poll(shared, { timeout: SHARING_MS }).toEqual({ shares, all });
  } catch (cause) {
    throw new Error(`the workers do not share the tasks:\n${workers.map(({ output }) => output).join('\n---\n')}`, { cause });
  }
}

/** Round after round, at least so many and until it is over: however slow the machine is, what happens meanwhile finds work. */
function* roundsUntil(isOver: () => boolean, { keys, perKey }: Workload): Generator<InputRecord, void> {
  for (let round = 1; round <= perKey || !isOver(); round++) yield* numberedRecords(keys, 1, round);
}

/**
 * Writes input as long as `happen` goes on.
 *
 * @returns how many rounds there were, of one record of each key
 */
export async function writeWhile<T>(
  { cluster, input }: TestApplication,
  workload: Workload,
  happen: () => Promise<T>,
): Promise<{ readonly result: T; readonly rounds: number }> {
  let isOver = false;
  const happened = happen().finally(() => {
    isOver = true;
  });
  const records = roundsUntil(() => isOver, workload);
  const [result, written] = await Promise.all([happened, cluster.writeSlowly(input, records, workload.perSecond)]);
  return { result, rounds: written / workload.keys };
}

/**
 * Writes input as long as `happen` goes on, stops the workers that it leaves, and expects each record counted once, in the order of
 * its key.
 */
export async function countWhile(
  application: TestApplication,
  workload: Workload,
  happen: () => Promise<readonly Worker[]>,
): Promise<void> {
  const { cluster, output } = application;
  const { result: left, rounds } = await writeWhile(application, workload, happen);
  await application.drained();
  for (const worker of left) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  const counted = valuesByKey(await cluster.read(output));
  expect(sorted(counted), application.log).toEqual(sorted(countedOnce(workload.keys, rounds)));
}
