import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths that this process holds: a second worker in one process must not take the first one's directory. */
const heldHere = new Set<string>();

/**
 * Takes the directory for this process, or says that another living process has it.
 *
 * The lock is a file with the pid and, where the system tells it, the start time of the process, so that a pid that was given
 * to another program does not keep a directory locked for ever.
 */
export function tryLockDirectory(directory: string): (() => void) | undefined {
  const path = join(directory, '.lock');
  if (heldHere.has(path)) return undefined;
  if (!createLock(path)) {
    if (ownerIsAlive(path)) return undefined;
    rmSync(path, { force: true });
    if (!createLock(path)) return undefined;
  }
  heldHere.add(path);
  return () => {
    heldHere.delete(path);
    rmSync(path, { force: true });
  };
}

/**
 * Makes sure that a lock which this process holds is still there: somebody may have deleted the directory.
 *
 * @returns false when another living process has taken the directory since
 */
export function renewLock(directory: string): boolean {
  const path = join(directory, '.lock');
  if (!heldHere.has(path)) return false;
  const found = readText(path);
  if (found === ownContent()) return true;
  if (found !== '' && ownerIsAlive(path)) return false;
  rmSync(path, { force: true });
  return createLock(path);
}

function ownContent(): string {
  return `${process.pid} ${startTime(process.pid) ?? ''}`.trim();
}

function createLock(path: string): boolean {
  try {
    writeFileSync(path, ownContent(), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ownerIsAlive(path: string): boolean {
  const [pidText = '', started = ''] = readText(path).split(' ');
  const pid = Number(pidText);
  // Our own pid in a file that we do not hold was written by a former process with the same pid (containers start at 1).
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startTime(pid);
  return now === undefined || started === '' || now === started;
}

/** Start time of a process in clock ticks since boot; undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
