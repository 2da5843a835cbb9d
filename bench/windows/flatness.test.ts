import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flatnessCases, meanOfThirds, measureFootprints } from './flatness.ts';

const OPTIONS = {
  recordsPerRetention: 3000,
  keys: 1500,
  retentions: 13,
  commitsPerRetention: 20,
  writeBufferBytes: 256 * 1024,
};
const GROWTH_MAX = 1.2;

describe('what windowed stores keep over thirteen times their retention', () => {
  it.each(flatnessCases)('stays flat on disk and in memory: $name', { timeout: 30_000 }, async (one) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-flatness-'));
    try {
      const [, second, last] = meanOfThirds(await measureFootprints(one, directory, OPTIONS));
      expect(last?.disk).toBeLessThan((second?.disk ?? 0) * GROWTH_MAX);
      expect(last?.heap).toBeLessThan((second?.heap ?? 0) * GROWTH_MAX);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
