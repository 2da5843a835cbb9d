import { buildWorkload } from './workloads/build-workload.ts';
import type { WorkloadOptions } from './options.ts';

/** Where the main thread leaves the options of the workload for its threads. */
export const WORKLOAD_VARIABLE = 'BENCH_WORKLOAD';

/** What each thread runs when there are several. */
export function buildTopology(): ReturnType<typeof buildWorkload> {
  return buildWorkload(JSON.parse(process.env[WORKLOAD_VARIABLE] ?? '') as WorkloadOptions);
}
