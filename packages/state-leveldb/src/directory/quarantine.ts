import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Copies of damaged state that are kept for whoever wants to know what happened. */
const KEPT = 2;

/** Renames the directory to `<directory>.corrupt-<n>`; older copies than the last two go. A missing directory is fine. */
export async function quarantineDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.corrupt-`;
  const numbers = (await namesIn(parent))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
  const next = (numbers.at(-1) ?? 0) + 1;
  try {
    await rename(directory, join(parent, `${prefix}${next}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - KEPT))) {
    await rm(join(parent, `${prefix}${number}`), { recursive: true, force: true });
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
