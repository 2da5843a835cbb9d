import { expect } from 'vitest';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import type { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

/** The input of a test: so many keys, so many records of each, written at a steady pace. */
export interface Workload {
  readonly keys: number;
  readonly perKey: number;
  readonly perSecond: number;
}

/** Waits until the workers together run every task of the one sub-topology once, each its share. */
export async function shareTasks(partitions: number, workers: readonly Worker[]): Promise<void> {
  const share = partitions / workers.length;
  try {
    await expect
      .poll(() => workers.map(({ tasks, state }) => (state === 'running' ? tasks.length : 0)), { timeout: 30_000 })
      .toEqual(workers.map(() => share));
  } catch (cause) {
    throw new Error(`the workers do not share the tasks:\n${workers.map(({ output }) => output).join('\n---\n')}`, { cause });
  }
  const all = Array.from({ length: partitions }, (_, partition) => `0_${partition}`);
  expect(workers.flatMap(({ tasks }) => tasks).sort()).toEqual(all);
}

/**
 * Writes all input while `happen` goes on, stops the workers that it leaves, and expects each record counted once, in the order of
 * its key.
 */
export async function countWhile(
  application: TestApplication,
  { keys, perKey, perSecond }: Workload,
  happen: () => Promise<readonly Worker[]>,
): Promise<void> {
  const { cluster, input, output } = application;
  const written = cluster.writeSlowly(input, numberedRecords(keys, perKey), perSecond);
  const [left] = await Promise.all([happen(), written]);
  await application.drained();
  for (const worker of left) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  const counted = valuesByKey(await cluster.read(output));
  expect(sorted(counted), application.log).toEqual(sorted(countedOnce(keys, perKey)));
}
