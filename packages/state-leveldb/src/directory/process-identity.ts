import { readFileSync, readlinkSync } from 'node:fs';

/** What tells a process from every other, also from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot of the machine and start of the process; empty where the system does not tell. */
  readonly started: string;
  /** The thread of the process, and when it was started; absent where the system does not tell. */
  readonly thread?: { readonly id: number; readonly started: string };
}

/** The identity of the thread that runs this. */
export function identifySelf(): ProcessIdentity {
  const { pid } = process;
  const self = { pid, started: startOf(pid) ?? '' };
  const id = ownThread();
  const started = id === undefined ? undefined : threadStart(pid, id);
  return id === undefined || started === undefined ? self : { ...self, thread: { id, started } };
}

/** Whether that process still runs, and that thread of it: a thread that dies leaves a process that lives. */
export function isAlive({ pid, started, thread }: ProcessIdentity): boolean {
  if (!exists(pid) || startOf(pid) !== started) return false;
  return thread === undefined || threadStart(pid, thread.id) === thread.started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process exists but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Boot id and start ticks, from Linux's /proc; elsewhere the number alone has to do. `undefined` for a process that is dead
 * and only waits for its parent to take note.
 */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const ticks = readTicks(`/proc/${pid}/stat`);
    return ticks === undefined ? undefined : `${boot} ${ticks}`;
  } catch {
    return '';
  }
}

/** The number that the system has for this thread: what is read synchronously is read by the thread itself. */
function ownThread(): number | undefined {
  try {
    return Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]);
  } catch {
    return undefined;
  }
}

function threadStart(pid: number, thread: number): string | undefined {
  try {
    return readTicks(`/proc/${pid}/task/${thread}/stat`);
  } catch {
    return undefined;
  }
}

function readTicks(path: string): string | undefined {
  const stat = readFileSync(path, 'utf8');
  // The name, field 2, stands in parentheses and may contain anything; the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
