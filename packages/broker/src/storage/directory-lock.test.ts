import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryLock } from './directory-lock.ts';

/** Processes that claim directories at the same moment. They are gone when this goes out of scope. */
class Claimants implements AsyncDisposable {
  readonly #processes: readonly ChildProcess[];

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes;
  }

  static async start(count: number): Promise<Claimants> {
    const path = fileURLToPath(new URL('./lock-claimant-process.ts', import.meta.url));
    const execArgv = ['--conditions=@millrace/source', '--import', 'tsx'];
    const processes = Array.from({ length: count }, () => fork(path, { execArgv }));
    await Promise.all(processes.map((one) => once(one, 'message')));
    return new Claimants(processes);
  }

  /** How many of them got it. */
  async claim(directory: string): Promise<number> {
    const answers = this.#processes.map((one) => once(one, 'message') as Promise<[boolean]>);
    const atMs = systemClock.nowMs() + 4;
    for (const one of this.#processes) one.send({ directory, atMs });
    return (await Promise.all(answers)).filter(([got]) => got).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#processes.map((one) => once(one, 'exit'));
    for (const one of this.#processes) one.kill('SIGKILL');
    await Promise.all(ended);
  }
}

describe('DirectoryLock', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('keeps others out until it is released, and leaves nothing behind', () => {
    const lock = new DirectoryLock(directory);
    expect(() => new DirectoryLock(directory)).toThrow(expect.objectContaining({ code: 'DIRECTORY_IN_USE' }));
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
    new DirectoryLock(directory).release();
  });

  it.each([
    ['a process that is gone', 'lock-999999999-5'],
    ['a former process with the pid of this one', `lock-${process.pid}-1`],
    ['a pid that was given to another program since', `lock-${process.ppid}-1`],
  ])('takes over the lock of %s', (_name, file) => {
    writeFileSync(join(directory, file), '');
    const lock = new DirectoryLock(directory);
    expect(readdirSync(directory)).toEqual([expect.stringMatching(`^lock-${process.pid}-`)]);
    lock.release();
  });

  it('takes over what was abandoned', () => {
    new DirectoryLock(directory).abandon();
    new DirectoryLock(directory).release();
  });

  it('names the process that has the directory, and the file that says so', () => {
    writeFileSync(join(directory, `lock-${process.ppid}-`), '');
    expect(() => new DirectoryLock(directory)).toThrow(
      new RegExp(`belongs to the running process ${process.ppid}: .* delete .*lock-${process.ppid}-`),
    );
    expect(readdirSync(directory)).toEqual([`lock-${process.ppid}-`]);
  });

  it.runIf(existsSync('/proc/self/stat'))('waits for a later claimant that is slow to withdraw', async () => {
    // So long that it must have stood still meanwhile; in a shell, because the claim below blocks this process.
    const slow = 'until ls "$0"/lock-$$-*; do sleep 0.05; done; sleep 0.5; rm "$0"/lock-$$-*; read end';
    const child = spawn('sh', ['-c', slow, directory], { stdio: ['pipe', 'ignore', 'ignore'] });
    const exited = once(child, 'exit');
    writeFileSync(join(directory, `lock-${child.pid}-${startTimeOf(child.pid as number)}`), '');
    const lock = new DirectoryLock(directory);
    expect(readdirSync(directory)).toEqual([expect.stringMatching(`^lock-${process.pid}-`)]);
    lock.release();
    child.stdin.end();
    await exited;
  });

  it('goes to exactly one of the processes that begin in the same moment', { timeout: 60_000 }, async () => {
    await using crowd = await Claimants.start(3);
    for (let round = 0; round < 15; round++) {
      const place = join(directory, String(round));
      mkdirSync(place);
      // What a killed process left makes the race wider.
      writeFileSync(join(place, 'lock-999999999-5'), '');
      expect(await crowd.claim(place), `round ${round}`).toBe(1);
    }
  });
});

function startTimeOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] as string;
}
