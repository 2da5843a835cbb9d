/**
 * Shows that what windowed stores keep, on disk and in memory, stays flat: drives a windowed aggregation and a stream-stream join
 * over many times their retention on LevelDB, without a broker. Prints the mean footprint of each third of that time. Exit
 * code 1: the last third is more than a fifth above the second.
 *
 *   node bench/dist/windows/measure-flatness.js [--retentions 13] [--records 60000] [--keys 30000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { flatnessCases, type Footprint, meanOfThirds, measureFootprints } from './flatness.ts';

const GROWTH_MAX = 1.2;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    retentions: { type: 'string', default: '13' },
    records: { type: 'string', default: '60000' },
    keys: { type: 'string', default: '30000' },
  },
});
const options = {
  recordsPerRetention: Number(values.records),
  keys: Number(values.keys),
  retentions: Number(values.retentions),
  commitsPerRetention: 40,
  writeBufferBytes: 4 * MIB,
};

console.log('| topology | figure, MiB | first third | second third | last third | growth |\n|---|---|---|---|---|---|');
for (const one of flatnessCases) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-flatness-'));
  try {
    const footprints = await measureFootprints(one, directory, options);
    report(one.name, meanOfThirds(footprints));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(name: string, thirds: readonly Footprint[]): void {
  for (const figure of ['disk', 'heap', 'rss'] as const) {
    const [first = 0, second = 0, last = 0] = thirds.map((third) => third[figure] / MIB);
    if (last > second * GROWTH_MAX) process.exitCode = 1;
    const cells = [first, second, last].map((mib) => mib.toFixed(1)).join(' | ');
    console.log(`| ${name} | ${figure} | ${cells} | ${(last / second).toFixed(2)} |`);
  }
}
