import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '@millrace/core';
import { Claimants } from './claimants.ts';
import { OffsetNote } from './offset-note.ts';
import { StateDirectory } from './state-directory.ts';

describe('StateDirectory', () => {
  let root: string;
  const random = seededRandom(1);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('gives each worker an instance of its own, and the same one again after a restart', () => {
    const first = StateDirectory.claim(root, 'app', random);
    const second = StateDirectory.claim(root, 'app', random);
    expect(second.path).not.toBe(first.path);
    expect(second.processId).not.toBe(first.processId);
    first.release();
    const again = StateDirectory.claim(root, 'app', random);
    expect([again.path, again.processId]).toEqual([first.path, first.processId]);
    again.release();
    second.release();
  });

  it.each([
    ['a process that is gone', '.lock-999999999-5'],
    ['a former process with the pid of this one', `.lock-${process.pid}-1`],
    ['a pid that was given to another program since', `.lock-${process.ppid}-1`],
  ])('takes over the lock of %s', (_name, lock) => {
    const path = join(root, 'app', '0');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, lock), '');
    const directory = StateDirectory.claim(root, 'app', random);
    expect(directory.path).toBe(path);
    expect(readdirSync(path).filter((name) => name.startsWith('.lock'))).toEqual([
      expect.stringMatching(`^\\.lock-${process.pid}-`),
    ]);
    directory.release();
    expect(readdirSync(path)).not.toContainEqual(expect.stringMatching(/^\.lock/));
  });

  it.runIf(existsSync('/proc/self/stat'))('waits for a process that was started later and is slow to withdraw', async () => {
    const path = join(root, 'app', '0');
    mkdirSync(path, { recursive: true });
    // So long that it must have stood still meanwhile; in a shell, because the claim below blocks this process.
    const slow = 'until ls "$0"/.lock-$$-*; do sleep 0.05; done; sleep 0.5; rm "$0"/.lock-$$-*; read end';
    const child = spawn('sh', ['-c', slow, path], { stdio: ['pipe', 'ignore', 'ignore'] });
    const exited = once(child, 'exit');
    writeFileSync(join(path, `.lock-${child.pid}-${startTimeOf(child.pid as number)}`), '');
    const directory = StateDirectory.claim(root, 'app', random);
    expect(directory.path).toBe(path);
    directory.release();
    child.stdin.end();
    await exited;
  });

  it('never gives one instance to two of the processes that are started in the same moment', async () => {
    await using crowd = await Claimants.start(3);
    for (let round = 0; round < 15; round++) {
      const place = join(root, String(round));
      // What a killed process left makes the race wider.
      mkdirSync(join(place, 'app', '0'), { recursive: true });
      writeFileSync(join(place, 'app', '0', '.lock-999999999-5'), '');
      const paths = await crowd.claim(place);
      expect(new Set(paths).size, `round ${round}: ${paths.join(' ')}`).toBe(3);
      expect(paths.sort()).toEqual([0, 1, 2].map((instance) => join(place, 'app', String(instance))));
    }
  });

  it('lists the tasks that have state, and nothing else', () => {
    const directory = StateDirectory.claim(root, 'app', random);
    for (const name of ['0_3', '1_0', '0_3.corrupt-1', 'x']) mkdirSync(join(directory.path, name));
    expect(directory.tasks()).toEqual([
      { subtopology: 0, partition: 3 },
      { subtopology: 1, partition: 0 },
    ]);
    directory.release();
  });

  it('F15: can be given up where its lock cannot be removed', () => {
    const directory = StateDirectory.claim(root, 'app', random);
    const lock = readdirSync(directory.path).find((name) => name.startsWith('.lock')) as string;
    // A stand-in for a file system that has become read-only, which does not keep root from anything else here.
    rmSync(join(directory.path, lock));
    mkdirSync(join(directory.path, lock));
    directory.release();
    expect(readdirSync(directory.path)).toContain(lock);
  });

  it('says what to check when the directory cannot be used', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => StateDirectory.claim(join(root, 'file'), 'app', random)).toThrow('check stateDir');
  });

  it('F17: is made anew when it is deleted while the process runs, with the same process id', () => {
    const directory = StateDirectory.claim(root, 'app', random);
    rmSync(directory.path, { recursive: true });
    expect(directory.tasks()).toEqual([]);
    directory.ensure();
    const second = StateDirectory.claim(root, 'app', random);
    expect(second.path).not.toBe(directory.path);
    directory.release();
    second.release();
    const again = StateDirectory.claim(root, 'app', random);
    expect(again.processId).toBe(directory.processId);
    again.release();
  });

  it('F17: is not shared with a process that has taken the place of a deleted one', () => {
    const directory = StateDirectory.claim(root, 'app', random);
    rmSync(directory.path, { recursive: true });
    mkdirSync(directory.path);
    writeFileSync(join(directory.path, `.lock-${process.ppid}-`), '');
    expect(() => directory.ensure()).toThrow('another process has taken its place');
    directory.release();
  });

  it('stays with its owner while another process looks whether it is free', () => {
    const directory = StateDirectory.claim(root, 'app', random);
    // Earlier than this process, so that of two that begin it would be the one that stays.
    writeFileSync(join(directory.path, `.lock-${process.ppid}-`), '');
    directory.ensure();
    expect(readdirSync(directory.path).filter((name) => name.startsWith(`.lock-${process.pid}-`))).toHaveLength(1);
    directory.release();
  });

  it('remembers how far the state of a task is, roughly, without opening it', async () => {
    const directory = StateDirectory.claim(root, 'app', random);
    mkdirSync(directory.taskPath('0_1'));
    const note = new OffsetNote(directory.taskPath('0_1'));
    for (const sum of [5, 9999, 10_004, 10_005]) note.moved(sum);
    expect(directory.storedOffsetSum('0_1')).toBe(0);
    await note.settled();
    expect([directory.storedOffsetSum('0_1'), directory.storedOffsetSum('0_2')]).toEqual([10_005, 0]);
    writeFileSync(join(directory.taskPath('0_1'), 'changelog-offsets'), 'nonsense');
    expect(directory.storedOffsetSum('0_1')).toBe(0);
    directory.release();
  });

  it('does not mind that the note cannot be written', async () => {
    const note = new OffsetNote(join(root, 'gone'));
    note.moved(5);
    await expect(note.settled()).resolves.toBeUndefined();
  });
});

function startTimeOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] as string;
}
