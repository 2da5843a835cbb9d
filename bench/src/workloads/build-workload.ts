import type { Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import { b1 } from './b1.ts';
import { b2Count } from './b2-count.ts';
import { b2b } from './b2b.ts';
import { b3, b3h } from './b3.ts';
import { b3s } from './b3s.ts';
import { b6 } from './b6.ts';
import { c1 } from './c1.ts';
import { c2 } from './c2.ts';
import { c3 } from './c3.ts';

const builders: Readonly<{ [workload: string]: (options: WorkloadOptions) => Topology }> = {
  b1,
  b2a: b2Count,
  b2b,
  b2c: b2Count,
  b2d: b2Count,
  b3,
  b3h,
  b3s,
  b6,
  b7: b2Count,
  c1,
  c2,
  c3,
};

/** The topology of a workload. @throws Error when there is no such workload */
export function buildWorkload(options: WorkloadOptions): Topology {
  const builder = builders[options.workload];
  if (builder !== undefined) return builder(options);
  throw new Error(`--workload ${options.workload}: give one of ${Object.keys(builders).join(', ')}`);
}
