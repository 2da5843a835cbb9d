import type { Topology } from '@millrace/topology';
import { stamping } from './stamping.ts';

/** Stamps, in threads. */
export function buildTopology(): Topology {
  return stamping(process.env.TEST_PREFIX ?? '');
}
