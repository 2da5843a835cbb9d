import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkVector } from './check-vector.ts';
import { withEngine } from './engines.ts';
import { readVectors } from './vector-files.ts';

/** What Kafka Streams 4.3.1 did, replayed: see `vectors/README.md`. `run.ts` does the same with a readable report. */
const files = readVectors(join(import.meta.dirname, 'vectors'));

describe('conformance with Kafka Streams', () => {
  it.each([...new Set(files.map((file) => file.folder))])('%s: every vector gives the same', async (folder) => {
    const differences: string[] = [];
    await withEngine('memory', async (engine) => {
      for (const { vector } of files.filter((file) => file.folder === folder)) {
        const verdict = await checkVector(vector, engine);
        if (verdict.kind === 'failed') differences.push(`${vector.name}: ${verdict.difference}`);
      }
    });
    expect(differences).toEqual([]);
  });
});
