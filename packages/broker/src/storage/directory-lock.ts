import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { FatalStreamsError } from '@millrace/core';

/** Directories that brokers of this process hold: a file with our own name may also have been left by one that was abandoned. */
const held = new Set<string>();

/**
 * How often, and how long each time, to look again whether a later claimant has withdrawn or holds the directory. Both take it a
 * moment, unless it stands still: then waiting too short a time would leave the directory to nobody. Unit ms.
 */
const LOOKS_MAX = 2000;
const LOOK_AGAIN_MS = 5;

/** What the file of a claimant says once the directory is its own. */
const HOLDS = 'holds';

/** A process as its file names it. Where the system does not tell when a process was started, `start` is ''. */
interface Claimant {
  readonly pid: number;
  readonly start: string;
}

/**
 * Keeps a directory to one broker at a time. The lock of a process that is gone counts for nothing.
 *
 * Every claimant puts down a file whose name is its pid and start time, and looks for those of others that live: of two at the same
 * time at least one sees the other. One file for all would not do. Between "its owner is gone" and its removal, or between its
 * making and its filling, it may be the lock of somebody who lives.
 */
export class DirectoryLock {
  readonly #directory: string;
  readonly #path: string;

  /** @throws FatalStreamsError DIRECTORY_IN_USE */
  constructor(directory: string) {
    const self: Claimant = { pid: process.pid, start: startTime(process.pid) ?? '' };
    this.#directory = resolve(directory);
    this.#path = join(this.#directory, fileName(self));
    if (held.has(this.#directory)) throw inUse(this.#directory, self);
    writeFileSync(this.#path, '');
    const owner = ownerBesides(self, this.#directory);
    if (owner !== undefined) {
      rmSync(this.#path, { force: true });
      throw inUse(this.#directory, owner);
    }
    writeFileSync(this.#path, HOLDS);
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
}

/** Who has the directory; `undefined` when nobody but the claimant itself is left. */
function ownerBesides(self: Claimant, directory: string): Claimant | undefined {
  for (let looks = 1; ; looks++) {
    const [first, ...others] = livingOthers(self, directory);
    if (first === undefined) return undefined;
    const owner = [first, ...others].find((other) => isEarlier(other, self) || holds(other, directory));
    if (owner !== undefined) return owner;
    // Whoever was started later and does not hold it yet withdraws.
    if (looks === LOOKS_MAX) return first;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
  }
}

/** The other claimants that live. The files of those that are gone are removed: no other process will ever have that name. */
function livingOthers(self: Claimant, directory: string): Claimant[] {
  return readdirSync(directory).flatMap((name) => {
    const found = /^lock-(\d{1,10})-(\d{0,20})$/.exec(name);
    if (found === null || name === fileName(self)) return [];
    const other: Claimant = { pid: Number(found[1]), start: found[2] ?? '' };
    if (isAlive(other, self)) return [other];
    rmSync(join(directory, name), { force: true });
    return [];
  });
}

function fileName({ pid, start }: Claimant): string {
  return `lock-${pid}-${start}`;
}

function holds(claimant: Claimant, directory: string): boolean {
  try {
    return readFileSync(join(directory, fileName(claimant)), 'utf8') === HOLDS;
  } catch (error) {
    // It has just withdrawn.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function isEarlier(a: Claimant, b: Claimant): boolean {
  return Number(a.start) < Number(b.start) || (a.start === b.start && a.pid < b.pid);
}

function isAlive({ pid, start }: Claimant, self: Claimant): boolean {
  // Our own pid with another start time was a former process: containers start at 1.
  if (pid <= 0 || pid === self.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // A pid that was given to another program since does not keep the directory locked for ever.
  const now = startTime(pid);
  return now === undefined || start === '' || now === start;
}

/** Start time of a process in clock ticks since boot; undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name of the program, is in brackets and may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function inUse(directory: string, owner: Claimant): FatalStreamsError {
  return new FatalStreamsError(
    'DIRECTORY_IN_USE',
    `${directory} belongs to the running process ${owner.pid}: stop it, or choose another directory; if that process is no broker, ` +
      `delete ${join(directory, fileName(owner))}`,
  );
}
