import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FlatnessCase, flatnessCases, meanOfThirds, measureFootprints } from './flatness.ts';

const OPTIONS = {
  recordsPerRetention: 3000,
  keys: 1500,
  retentions: 13,
  commitsPerRetention: 20,
  writeBufferBytes: 256 * 1024,
};
const GROWTH_MAX = 1.2;
/** Rows come and go by the clock of the records: nothing but deletion decides how many there are. */
const ROWS_GROWTH_MAX = 1.01;

/** With little memory a join has its records as rows per key, which are deleted in another way than whole buckets. */
const withoutMemory = flatnessCases.map(
  (one): FlatnessCase => ({ ...one, name: `${one.name}, little memory`, cleanCacheBytes: 64 * 1024 }),
);

describe('what windowed stores keep over thirteen times their retention', () => {
  it.each([...flatnessCases, ...withoutMemory])('stays flat on disk and in memory: $name', { timeout: 30_000 }, async (one) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-flatness-'));
    try {
      const [, second, last] = meanOfThirds(await measureFootprints(one, directory, OPTIONS));
      expect(last?.disk).toBeLessThan((second?.disk ?? 0) * GROWTH_MAX);
      expect(last?.rows).toBeLessThan((second?.rows ?? 0) * ROWS_GROWTH_MAX);
      expect(last?.heap).toBeLessThan((second?.heap ?? 0) * GROWTH_MAX);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
