import process from 'node:process';
import { systemClock } from '@millrace/core';
import { DirectoryLock } from './directory-lock.ts';

/** A process that claims each directory it is told, when it is told, and says whether it got it. It keeps what it got. */
process.on('message', ({ directory, atMs }: { directory: string; atMs: number }) => {
  // Busy until the moment comes, so that all processes begin with the same tick of the clock.
  while (systemClock.nowMs() < atMs);
  process.send?.(takes(directory));
});
process.send?.('ready');

function takes(directory: string): boolean {
  try {
    new DirectoryLock(directory);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'DIRECTORY_IN_USE') return false;
    throw error;
  }
}
