import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasHole } from './log-file.ts';
import { isTableIntact } from './table-file.ts';

/** What was found wrong with the files of a closed database. */
export interface FileDamage {
  /** A log of which LevelDB would apply the end without the middle. */
  readonly log: string | undefined;
  /**
   * Tables that are not whole. Harmless if the database does not know them: a process that dies while writing a table
   * leaves a part of it, and LevelDB deletes that when it opens.
   */
  readonly tables: readonly string[];
}

/** Reads all files of a closed database and checks what LevelDB would not. One file in memory at a time. */
export async function verifyFiles(directory: string): Promise<FileDamage> {
  const names = await readdir(directory);
  const tables: string[] = [];
  for (const name of names) {
    if (isTable(name) && !isTableIntact(await readFile(join(directory, name)))) tables.push(name);
  }
  return { log: await damagedLog(directory, names), tables };
}

async function damagedLog(directory: string, names: readonly string[]): Promise<string | undefined> {
  // Names are numbers with leading zeros, given in ascending order.
  const logs = names.filter((name) => /^\d+\.log$/.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  for (const name of logs) {
    if (hasHole(await readFile(join(directory, name)), name === logs.at(-1))) return name;
  }
  return undefined;
}

function isTable(name: string): boolean {
  return /^\d+\.(ldb|sst)$/.test(name);
}
