import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Directories that this thread holds: a second worker in one process must not take the first one's. */
const heldHere = new Set<string>();

/**
 * How often, and how long each time, to look again whether a later claimant has withdrawn or holds the directory. Both take it a
 * moment, unless it stands still: then waiting too short a time would leave the directory, and the state in it, to nobody. Unit ms.
 */
const LOOKS_MAX = 2000;
const LOOK_AGAIN_MS = 5;

/** What the file of a claimant says once the directory is its own. */
const HOLDS = 'holds';

/** A process as its claim names it. Where the system does not tell when a process was started, `start` is ''. */
interface Claimant {
  readonly pid: number;
  readonly start: string;
}

/**
 * Takes the directory for this process, or says that another living process has it.
 *
 * Every claimant puts down a file whose name is its pid and start time, then looks for the claims of others that live. Of two
 * at the same time at least one therefore sees the other, and the one that was started later withdraws. What a dead process left
 * can be removed by anybody at any time: no other process will ever have that name. One file for all would not do: between
 * "its owner is dead" and its removal it may have become the lock of somebody who lives.
 */
export function tryLockDirectory(directory: string): (() => void) | undefined {
  if (heldHere.has(directory)) return undefined;
  const self = ownClaim();
  if (!putDown(directory, self) && self.start !== '') return undefined;
  if (!prevails(directory, self)) return undefined;
  heldHere.add(directory);
  return () => {
    heldHere.delete(directory);
    try {
      withdraw(directory, self);
    } catch {
      // On a disk that has failed. The claim counts for nothing as soon as this process is gone, and its end must not be held up.
    }
  };
}

/** Says in this thread that another thread of this process has taken the directory. @returns takes that back */
export function joinLock(directory: string): () => void {
  heldHere.add(directory);
  return () => void heldHere.delete(directory);
}

/**
 * Makes sure that a lock which this process holds is still there: somebody may have deleted the directory.
 *
 * @returns false when another living process has taken the directory since
 */
export function renewLock(directory: string): boolean {
  if (!heldHere.has(directory)) return false;
  const self = ownClaim();
  // As long as the claim is there it holds, whoever looks at the directory at this moment.
  return !putDown(directory, self) || prevails(directory, self);
}

/** Looks at the other claims until it is clear who has the directory. False: the own claim was withdrawn. */
function prevails(directory: string, self: Claimant): boolean {
  for (let looks = 1; ; looks++) {
    const others = livingOthers(directory, self);
    if (others.length === 0) {
      markHeld(directory, self);
      return true;
    }
    // Whoever was started later and does not hold it yet withdraws.
    if (looks === LOOKS_MAX || others.some((other) => isEarlier(other, self) || holds(directory, other))) {
      withdraw(directory, self);
      return false;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
  }
}

function markHeld(directory: string, self: Claimant): void {
  try {
    writeFileSync(join(directory, fileName(self)), HOLDS);
  } catch {
    // On a disk without room, say. The claim holds all the same; others only wait for longer before they believe it.
  }
}

/** False also when it cannot be told: then others wait. */
function holds(directory: string, claimant: Claimant): boolean {
  try {
    return readFileSync(join(directory, fileName(claimant)), 'utf8') === HOLDS;
  } catch {
    return false;
  }
}

function ownClaim(): Claimant {
  return { pid: process.pid, start: startTime(process.pid) ?? '' };
}

function withdraw(directory: string, self: Claimant): void {
  rmSync(join(directory, fileName(self)), { force: true });
}

/** False when the file exists: another thread of this process has it, or a former process with the same pid left it. */
function putDown(directory: string, self: Claimant): boolean {
  try {
    closeSync(openSync(join(directory, fileName(self)), 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The other claimants that live. The files of those that are gone are removed. */
function livingOthers(directory: string, self: Claimant): Claimant[] {
  const living: Claimant[] = [];
  for (const name of readdirSync(directory)) {
    const found = /^\.lock-(\d{1,10})-(\d{0,20})$/.exec(name);
    if (found === null) continue;
    const other: Claimant = { pid: Number(found[1]), start: found[2] ?? '' };
    if (other.pid === self.pid && other.start === self.start) continue;
    if (isAlive(other, self)) living.push(other);
    else rmSync(join(directory, name), { force: true });
  }
  return living;
}

function fileName({ pid, start }: Claimant): string {
  return `.lock-${pid}-${start}`;
}

function isEarlier(a: Claimant, b: Claimant): boolean {
  return Number(a.start) - Number(b.start) < 0 || (a.start === b.start && a.pid < b.pid);
}

function isAlive({ pid, start }: Claimant, self: Claimant): boolean {
  // Our own pid with another start time was a former process (containers start at 1).
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
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8').trim();
    return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
