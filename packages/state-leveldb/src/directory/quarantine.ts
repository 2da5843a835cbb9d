import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Copies of damaged state that are kept for whoever wants to know what happened. */
const KEPT = 2;

/** Renames the directory to `<directory>.corrupt-<n>`; older copies than the last two go. A missing directory is fine. */
export async function quarantineDirectory(directory: string): Promise<void> {
  const numbers = await copiesOf(directory);
  const next = (numbers.at(-1) ?? 0) + 1;
  try {
    await rename(directory, copyPath(directory, next));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await removeCopies(directory, numbers.slice(0, Math.max(0, numbers.length + 1 - KEPT)));
}

/** Deletes all copies: the room is needed. */
export async function purgeQuarantined(directory: string): Promise<void> {
  await removeCopies(directory, await copiesOf(directory));
}

async function removeCopies(directory: string, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await rm(copyPath(directory, number), { recursive: true, force: true });
}

function copyPath(directory: string, number: number): string {
  return join(dirname(directory), `${basename(directory)}.corrupt-${number}`);
}

/** The numbers of the copies that there are, oldest first. */
async function copiesOf(directory: string): Promise<number[]> {
  const prefix = `${basename(directory)}.corrupt-`;
  return (await namesIn(dirname(directory)))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
