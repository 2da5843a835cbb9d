import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FlatnessCase, flatnessCases, type Footprint, meanOfThirds, measureFootprints } from './flatness.ts';

const OPTIONS = { recordsPerRetention: 3000, keys: 1500, commitsPerRetention: 20, writeBufferBytes: 256 * 1024 };
const RETENTIONS = 13;
const RETENTIONS_MAX = 4 * RETENTIONS;
/** LevelDB syncs each table that it writes, and there are hundreds: a disk may take 100 ms for each. */
const TIMEOUT_MS = 1_800_000;
const GROWTH_MAX = 1.2;
/** Rows come and go by the clock of the records: nothing but deletion decides how many there are. */
const ROWS_GROWTH_MAX = 1.01;

/** With little memory a join has its records as rows per key, which are deleted in another way than whole buckets. */
const withoutMemory = flatnessCases.map(
  (one): FlatnessCase => ({ ...one, name: `${one.name}, little memory`, cleanCacheBytes: 64 * 1024 }),
);

/** The mean footprints of the second and the last third of so many retentions. */
async function measure(one: FlatnessCase, retentions: number): Promise<{ readonly second: Footprint; readonly last: Footprint }> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-flatness-'));
  try {
    const [, second, last] = meanOfThirds(await measureFootprints(one, directory, { ...OPTIONS, retentions }));
    return { second: second as Footprint, last: last as Footprint };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('what windowed stores keep over many times their retention', () => {
  it.each([...flatnessCases, ...withoutMemory])(
    'stays flat on disk and in memory: $name',
    { timeout: TIMEOUT_MS },
    async (one) => {
      let retentions = RETENTIONS;
      let { second, last } = await measure(one, retentions);
      // LevelDB compacts in the background, when the machine lets it. The longer, the less that counts, and the more does growth.
      while (last.disk >= second.disk * GROWTH_MAX && retentions < RETENTIONS_MAX) {
        retentions *= 2;
        ({ second, last } = await measure(one, retentions));
      }
      expect(last.disk).toBeLessThan(second.disk * GROWTH_MAX);
      expect(last.rows).toBeLessThan(second.rows * ROWS_GROWTH_MAX);
      expect(last.heap).toBeLessThan(second.heap * GROWTH_MAX);
    },
  );
});
