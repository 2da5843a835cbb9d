import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FatalStreamsError, parseTaskId, type Random, type TaskId } from '@millrace/core';
import { readOffsetNote } from './offset-note.ts';
import { joinLock, renewLock, tryLockDirectory } from './process-lock.ts';

/** More processes of one application on one machine than this is taken for a mistake. */
const MAX_INSTANCES = 1024;
const PROCESS_ID_FILE = 'process-id';

/**
 * The directory in which one process of an application keeps its state: `<stateDir>/<applicationId>/<instance>/`.
 *
 * Several processes may be started with the same `stateDir`: each takes the first instance that is free, so a restarted
 * process finds the state and the process id that it had before.
 */
export class StateDirectory {
  readonly path: string;
  /** Stays the same over restarts in this directory. */
  readonly processId: string;
  readonly #unlock: () => void;

  private constructor(path: string, processId: string, unlock: () => void) {
    this.path = path;
    this.processId = processId;
    this.#unlock = unlock;
  }

  /** @throws FatalStreamsError `STATE_DIRECTORY` when the directory cannot be made or written */
  static claim(stateDir: string, applicationId: string, random: Random): StateDirectory {
    const root = join(stateDir, applicationId);
    try {
      for (let instance = 0; instance < MAX_INSTANCES; instance++) {
        const path = join(root, String(instance));
        mkdirSync(path, { recursive: true });
        const unlock = tryLockDirectory(path);
        if (unlock !== undefined) return new StateDirectory(path, processIdIn(path, random), unlock);
      }
    } catch (error) {
      throw new FatalStreamsError(
        'STATE_DIRECTORY',
        `the state directory ${root} cannot be used; check stateDir, its rights and free space`,
        { cause: error },
      );
    }
    throw new FatalStreamsError(
      'STATE_DIRECTORY',
      `${MAX_INSTANCES} processes hold instances of ${root}; give this one another stateDir`,
    );
  }

  /** The directory that another thread of this process has claimed, and keeps for longer than this one needs it. */
  static join({ path, processId }: Pick<StateDirectory, 'path' | 'processId'>): StateDirectory {
    return new StateDirectory(path, processId, joinLock(path));
  }

  /** Where a task keeps its database. */
  taskPath(taskId: string): string {
    return join(this.path, taskId);
  }

  /**
   * Where the global stores are kept.
   *
   * @param thread 0: those of the process; else those of that thread: two cannot have one database open
   */
  globalPath(thread: number): string {
    return join(this.path, thread === 0 ? 'global' : `global-${thread}`);
  }

  /** Where a worker keeps outputs that memory has no room for. */
  outputsPath(workerNumber: number): string {
    return join(this.path, `outputs-${workerNumber}`);
  }

  /** Tasks of which there is a directory. */
  tasks(): TaskId[] {
    try {
      return readdirSync(this.path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && /^\d{1,9}_\d{1,9}$/.test(entry.name))
        .map((entry) => parseTaskId(entry.name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Up to where the changelogs of a task are in its database, by the note beside it: mostly a little too low. 0: not known. */
  storedOffsetSum(taskId: string): number {
    return readOffsetNote(this.taskPath(taskId));
  }

  /** When something was last written to the files of a task; `undefined` when there are none. Unit ms since the epoch. */
  lastWrittenMs(taskId: string): number | undefined {
    const path = this.taskPath(taskId);
    let latest: number | undefined;
    try {
      for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) latest = Math.max(latest ?? 0, statSync(join(entry.parentPath, entry.name)).mtimeMs);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return latest;
  }

  /** When the state of a task was last written to, opened or closed; `undefined` when there is none. Unit ms since the epoch. */
  lastUsedMs(taskId: string): number | undefined {
    // Its lock comes and goes with each user, which changes the directory.
    const changedMs = statSync(this.taskPath(taskId), { throwIfNoEntry: false })?.mtimeMs;
    return changedMs === undefined ? undefined : Math.max(changedMs, this.lastWrittenMs(taskId) ?? 0);
  }

  /**
   * Makes the directory anew, with what says whose it is, if somebody has deleted it under the hands of this process.
   *
   * @throws FatalStreamsError `STATE_DIRECTORY` when that is not possible, or another process has taken its place
   */
  ensure(): void {
    let isOurs: boolean;
    try {
      mkdirSync(this.path, { recursive: true });
      isOurs = renewLock(this.path);
      if (isOurs && !existsSync(join(this.path, PROCESS_ID_FILE)))
        writeFileSync(join(this.path, PROCESS_ID_FILE), this.processId);
    } catch (error) {
      throw new FatalStreamsError(
        'STATE_DIRECTORY',
        `the state directory ${this.path} is gone and cannot be made anew; check the disk`,
        {
          cause: error,
        },
      );
    }
    if (isOurs) return;
    throw new FatalStreamsError(
      'STATE_DIRECTORY',
      `the state directory ${this.path} was deleted, and another process has taken its place; start this one again`,
    );
  }

  release(): void {
    this.#unlock();
  }
}

function processIdIn(path: string, random: Random): string {
  const file = join(path, PROCESS_ID_FILE);
  try {
    const found = readFileSync(file, 'utf8').trim();
    if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(found)) return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const fresh = random.uuid();
  writeFileSync(file, fresh);
  return fresh;
}
