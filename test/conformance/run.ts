/**
 * Runs conformance vectors against Millrace: `npm run conformance -- <dir> [--engine memory|leveldb]`.
 *
 * Prints the failures, the counts per directory and, as the last line, `N passed, N failed, N skipped`. Exits with 1 when a
 * vector failed.
 */
import { parseArgs } from 'node:util';
import { checkVector } from './check-vector.ts';
import { withEngine } from './engines.ts';
import { Tally } from './tally.ts';
import { readVectors } from './vector-files.ts';

const usage = 'usage: npm run conformance -- <directory or file> [--engine memory|leveldb]\n';

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { engine: { type: 'string', default: 'memory' } },
  });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1 || !['memory', 'leveldb'].includes(values.engine)) {
    process.stderr.write(usage);
    return 2;
  }
  const tally = new Tally();
  await withEngine(values.engine, async (engine) => {
    for (const { folder, vector } of readVectors(path)) {
      const verdict = await checkVector(vector, engine);
      tally.add(folder, verdict);
      if (verdict.kind === 'failed') process.stdout.write(`FAILED ${vector.name} (${vector.about})\n  ${verdict.difference}\n`);
    }
  });
  process.stdout.write(tally.report());
  return tally.failed > 0 || tally.total === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
