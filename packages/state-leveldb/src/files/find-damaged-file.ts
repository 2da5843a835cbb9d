import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasHole } from './log-file.ts';
import { type LiveFiles, readManifest } from './manifest.ts';
import { isTableIntact } from './table-file.ts';

/**
 * Checks what LevelDB would not when it opens the database: the blocks of all tables, and the logs. Returns the name of a
 * file that is damaged. One file in memory at a time.
 *
 * Only files that the manifest names count: a process that dies while writing a table leaves a part of it behind.
 *
 * @throws the file system's ENOENT when files are missing
 */
export async function findDamagedFile(directory: string): Promise<string | undefined> {
  const live = await liveFiles(directory);
  if (live === undefined) return 'CURRENT';
  const names = await readdir(directory);
  for (const name of names) {
    if (!/^\d+\.(ldb|sst)$/.test(name) || !live.tables.has(numberOf(name))) continue;
    if (!isTableIntact(await readFile(join(directory, name)))) return name;
  }
  const logs = names.filter((name) => /^\d+\.log$/.test(name) && numberOf(name) >= live.firstLog);
  logs.sort((a, b) => numberOf(a) - numberOf(b));
  for (const name of logs) if (hasHole(await readFile(join(directory, name)), name === logs.at(-1))) return name;
  return undefined;
}

async function liveFiles(directory: string): Promise<LiveFiles | undefined> {
  const current = (await readFile(join(directory, 'CURRENT'), 'utf8')).trim();
  if (!/^MANIFEST-\d+$/.test(current)) return undefined;
  try {
    return readManifest(await readFile(join(directory, current)));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Files are named by numbers with leading zeros. */
function numberOf(name: string): number {
  return Number.parseInt(name, 10);
}
