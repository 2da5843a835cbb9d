import { readFileSync } from 'node:fs';

/** What tells a process from every other, also from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot of the machine and start of the process; empty where the system does not tell. */
  readonly started: string;
}

/** The identity of a running process; `undefined` when there is none with that number. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (!exists(pid)) return undefined;
  const started = startOf(pid);
  return started === undefined ? undefined : { pid, started };
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
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, stands in parentheses and may contain anything; the start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return '';
  }
}
