import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FatalStreamsError } from '@millrace/core';
import { tryLockDirectory } from '../state-directory/process-lock.ts';

/** Directories of an application on this machine, one per process that ran here. */
export function localStateOf(stateDir: string, applicationId: string): string[] {
  const root = join(stateDir, applicationId);
  try {
    const instances = readdirSync(root, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && /^\d+$/.test(entry.name),
    );
    return instances.map(({ name }) => join(root, name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Takes the directories, so that no worker starts in them before they are gone.
 *
 * @throws FatalStreamsError `RESET_STATE_IN_USE` when a living process has one; none is held then
 */
export function holdLocalState(paths: readonly string[]): LocalStateHold {
  const unlocks: (() => void)[] = [];
  for (const path of paths) {
    const unlock = tryLockDirectory(path);
    if (unlock === undefined) {
      for (const release of unlocks) release();
      throw new FatalStreamsError(
        'RESET_STATE_IN_USE',
        `a process that runs has the local state ${path}; nothing was changed. Stop it first`,
      );
    }
    unlocks.push(unlock);
  }
  return new LocalStateHold(paths, unlocks);
}

/** Directories of state that nobody else can use. */
export class LocalStateHold implements Disposable {
  readonly #paths: readonly string[];
  readonly #unlocks: readonly (() => void)[];

  constructor(paths: readonly string[], unlocks: readonly (() => void)[]) {
    this.#paths = paths;
    this.#unlocks = unlocks;
  }

  /** Deletes them, and the directory around them when nothing else is in it. */
  delete(): void {
    for (const path of this.#paths) {
      rmSync(path, { recursive: true, force: true });
      removeIfEmpty(join(path, '..'));
    }
  }

  [Symbol.dispose](): void {
    for (const unlock of this.#unlocks) unlock();
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
