import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RetriableError } from '@millrace/core';
import { identifySelf, isAlive, type ProcessIdentity } from './process-identity.ts';

const LOCK_FILE = 'lock';
const ATTEMPTS = 3;

/**
 * Directories that this process has open. On `globalThis`, so that two copies of this package in one process know of each
 * other: a second open in the same process, even a failed one, makes the operating system drop LevelDB's own lock.
 */
const OPEN_DIRECTORIES = Symbol.for('@millrace/state-leveldb/open-directories');

function openDirectories(): Set<string> {
  const place = globalThis as { [OPEN_DIRECTORIES]?: Set<string> };
  place[OPEN_DIRECTORIES] ??= new Set();
  return place[OPEN_DIRECTORIES];
}

/** Exclusive use of a directory, among all processes of the machine, their threads, and all users inside a thread. */
export class StateLock {
  readonly #path: string;
  readonly #directory: string;
  readonly #content: string;

  private constructor(path: string, directory: string, content: string) {
    this.#path = path;
    this.#directory = directory;
    this.#content = content;
  }

  /**
   * @param token makes the content of the lock file unique
   * @throws RetriableError `STATE_LOCKED` when somebody who is alive has the directory
   */
  static async acquire(directory: string, taskId: string, token: string): Promise<StateLock> {
    const real = await realpath(directory);
    const open = openDirectories();
    if (open.has(real)) throw locked(directory, taskId, 'this thread');
    open.add(real);
    try {
      const content = JSON.stringify({ ...identifySelf(), token });
      const lock = new StateLock(join(real, LOCK_FILE), real, content);
      await lock.#take(taskId);
      return lock;
    } catch (error) {
      open.delete(real);
      throw error;
    }
  }

  async #take(taskId: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        await writeFile(this.#path, this.#content, { flag: 'wx' });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await livingHolder(this.#path);
      if (holder !== undefined) throw locked(this.#directory, taskId, `process ${holder.pid}`);
      await this.#removeStale();
    }
    throw locked(this.#directory, taskId, 'another process that starts at this moment');
  }

  /** Moves the stale file away under a name of our own: of two that try, only one finds it. */
  async #removeStale(): Promise<void> {
    const aside = `${this.#path}.stale-${process.pid}`;
    try {
      await rename(this.#path, aside);
    } catch {
      return;
    }
    await rm(aside, { force: true });
  }

  /** Whether the lock file is still ours: somebody who took it for stale at the same moment may have replaced it. */
  async isHeld(): Promise<boolean> {
    return (await readIfThere(this.#path)) === this.#content;
  }

  async release(): Promise<void> {
    try {
      if (await this.isHeld()) await rm(this.#path, { force: true });
    } finally {
      openDirectories().delete(this.#directory);
    }
  }
}

async function livingHolder(path: string): Promise<ProcessIdentity | undefined> {
  const holder = parseHolder(await readIfThere(path));
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

/** A file that cannot be read as a lock was cut off when its writer died. */
function parseHolder(text: string | undefined): ProcessIdentity | undefined {
  try {
    const { pid, started, thread } = JSON.parse(text ?? '') as Partial<ProcessIdentity>;
    if (!Number.isInteger(pid) || typeof started !== 'string') return undefined;
    return { pid: pid as number, started, ...(thread === undefined ? {} : { thread }) };
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function locked(directory: string, taskId: string, holder: string): RetriableError {
  const message = `the state in ${directory} is in use by ${holder}; two instances on one machine need different state directories`;
  return new RetriableError('STATE_LOCKED', message, { taskId });
}

/** Throws when this thread has the directory open. */
export async function assertClosed(directory: string): Promise<void> {
  const real = await realpath(directory).catch(() => directory);
  if (openDirectories().has(real)) throw new RetriableError('STATE_LOCKED', `the state in ${directory} is open; close it first`);
}

/** Throws when anybody has the directory open: this thread, another thread of this process, or another process. */
export async function assertFree(directory: string): Promise<void> {
  await assertClosed(directory);
  const holder = await livingHolder(join(directory, LOCK_FILE));
  if (holder === undefined) return;
  throw new RetriableError(
    'STATE_LOCKED',
    `the state in ${directory} is open in process ${holder.pid}; it has to be closed first`,
  );
}
