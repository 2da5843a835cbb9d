import { describe, expect, it } from 'vitest';
import { growthBetween } from './flatness.ts';
import { RESOURCES, type ResourceUse } from './resource-series.ts';

const MIB = 1024 * 1024;
const use: ResourceUse = {
  rssBytes: 150 * MIB,
  heapUsedBytes: 50 * MIB,
  externalBytes: 10 * MIB,
  fileDescriptors: 60,
  handles: 40,
};

describe('growthBetween', () => {
  it('is content with a tenth more, and with less', () => {
    expect(growthBetween(use, { ...use, rssBytes: 164 * MIB })).toEqual([]);
    expect(growthBetween(use, { ...use, rssBytes: 100 * MIB, heapUsedBytes: 20 * MIB })).toEqual([]);
  });

  it.each(RESOURCES)('names half as much again of %s', (resource) => {
    expect(growthBetween(use, { ...use, [resource]: use[resource] * 1.5 + 1 })).toHaveLength(1);
  });

  it('does not take a few MiB outside the heap, or a few connections, for a leak', () => {
    expect(growthBetween(use, { ...use, externalBytes: 14 * MIB, fileDescriptors: 69, handles: 47 })).toEqual([]);
  });
});
