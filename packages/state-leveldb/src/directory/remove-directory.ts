import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const ASIDE = '.deleted';

/**
 * Deletes a directory so that nobody ever finds half of it: it gets another name first. What a process that died in the middle
 * leaves under that name goes with the next one, or with `removeLeftovers`.
 */
export async function removeDirectory(directory: string): Promise<void> {
  const aside = `${directory}${ASIDE}`;
  await rm(aside, { recursive: true, force: true });
  try {
    await rename(directory, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Deletes what deletions that were cut short have left in the parent of such directories. */
export async function removeLeftovers(parent: string): Promise<void> {
  const entries = await readdir(parent, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory() && entry.name.endsWith(ASIDE)) await rm(join(parent, entry.name), { recursive: true, force: true });
  }
}
