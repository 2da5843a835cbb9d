import { RESOURCES, type Resource, type ResourceUse } from './resource-series.ts';

const MIB = 1024 * 1024;
/** From one third to the next. */
const GROWTH_MAX = 1.1;

/** What may come on top of the tenth: small figures move by more than that without any leak. */
const SLACK: ResourceUse = {
  rssBytes: 0,
  // The heap is a saw: where in a tooth the median lies is chance.
  heapUsedBytes: 8 * MIB,
  externalBytes: 4 * MIB,
  // Connections come and go.
  fileDescriptors: 4,
  handles: 4,
};

const NAMES: Readonly<Record<Resource, string>> = {
  rssBytes: 'resident memory',
  heapUsedBytes: 'the heap',
  externalBytes: 'memory outside the heap',
  fileDescriptors: 'file descriptors',
  handles: 'handles',
};

/** What a long-lived process had more of in the last third than in the second. The first one is the start: caches fill. */
export function growthBetween(second: ResourceUse, last: ResourceUse): string[] {
  return RESOURCES.filter((resource) => last[resource] > second[resource] * GROWTH_MAX + SLACK[resource]).map(
    (resource) => `${NAMES[resource]} grew from ${second[resource]} to ${last[resource]} (medians of the last two thirds)`,
  );
}
