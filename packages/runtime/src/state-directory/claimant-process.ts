import { seededRandom, systemClock } from '@millrace/core';
import { StateDirectory } from './state-directory.ts';

/** A process that claims an instance under each directory it is told, when it is told, and says which one it got. */
process.on('message', ({ root, atMs }: { root: string; atMs: number }) => {
  // Busy until the moment comes, so that all processes begin within the same tick of the clock.
  while (systemClock.nowMs() < atMs);
  process.send?.(StateDirectory.claim(root, 'app', seededRandom(process.pid)).path);
});
process.send?.('ready');
