import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pauseMs = 100;
const waitMs = 20_000;

/**
 * Ends the process `pid` if its command line holds `mark`, which guards against a process id that was given out again:
 * SIGTERM, then SIGKILL after 20 s.
 *
 * @returns whether it was running
 */
export async function stopProcess(pid: number, mark: string): Promise<boolean> {
  if (!(await commandLineOf(pid)).includes(mark)) return false;
  process.kill(pid, 'SIGTERM');
  const end = performance.now() + waitMs;
  while ((await commandLineOf(pid)).includes(mark)) {
    if (performance.now() > end) {
      process.kill(pid, 'SIGKILL');
      return true;
    }
    await sleep(pauseMs);
  }
  return true;
}

async function commandLineOf(pid: number): Promise<string> {
  return run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
