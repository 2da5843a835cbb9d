import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { FatalStreamsError } from '@millrace/core';

/** Directories that brokers of this process hold: a file with our own pid may also be left by a former process. */
const held = new Set<string>();

/** Keeps a directory to one broker at a time. The lock of a process that is gone counts for nothing. */
export class DirectoryLock {
  readonly #directory: string;
  readonly #path: string;

  /** @throws FatalStreamsError DIRECTORY_IN_USE */
  constructor(directory: string) {
    this.#directory = resolve(directory);
    this.#path = join(this.#directory, 'lock');
    if (held.has(this.#directory)) throw inUse(this.#directory, process.pid);
    if (!this.#create()) this.#takeOver();
    held.add(this.#directory);
  }

  /** Leaves the lock behind, as a process that dies does. */
  abandon(): void {
    held.delete(this.#directory);
  }

  release(): void {
    held.delete(this.#directory);
    rmSync(this.#path, { force: true });
  }

  #create(): boolean {
    try {
      const descriptor = openSync(this.#path, 'wx');
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  #takeOver(): void {
    const pid = Number(readFileSync(this.#path, 'utf8'));
    if (pid !== process.pid && isAlive(pid)) throw inUse(this.#directory, pid);
    rmSync(this.#path);
    if (!this.#create()) throw inUse(this.#directory, pid);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(directory: string, pid: number): FatalStreamsError {
  return new FatalStreamsError(
    'DIRECTORY_IN_USE',
    `${directory} belongs to the running process ${pid}: stop it, or choose another directory; if that process is no broker, ` +
      `delete ${join(directory, 'lock')}`,
  );
}
