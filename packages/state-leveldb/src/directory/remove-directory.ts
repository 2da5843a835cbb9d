import { rename, rm } from 'node:fs/promises';

/**
 * Deletes a directory so that nobody ever finds half of it: it gets another name first. What a process that died in the middle left
 * under that name goes with the next one.
 */
export async function removeDirectory(directory: string): Promise<void> {
  const aside = `${directory}.deleted`;
  await rm(aside, { recursive: true, force: true });
  try {
    await rename(directory, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
