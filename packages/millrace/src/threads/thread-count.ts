import { availableParallelism } from 'node:os';

/**
 * How many threads `threads` means. `auto`: as many as there are processors for this process, fewer in a container with a limit;
 * none is set aside for the main thread, which has next to nothing to do.
 */
export function threadCount(threads: number | 'auto', processors = availableParallelism()): number {
  return threads === 'auto' ? processors : threads;
}
