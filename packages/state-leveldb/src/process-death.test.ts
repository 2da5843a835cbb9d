import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, silentLogger } from '@millrace/core';
import type { StateDatabase } from '@millrace/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { levelDbEngine } from './level-db-engine.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const KILLS = 12;
const KEYS = 50;
/** LevelDB syncs each table that it writes, and there are hundreds: a disk may take 100 ms for each. */
const TIMEOUT_MS = 600_000;

/** Writes batch after batch, each of which sets every key to its number, and prints the number when it is written. */
const WRITER = `
  import { silentLogger } from '@millrace/core';
  import { WriteBatch } from '@millrace/state';
  import { levelDbEngine } from '@millrace/state-leveldb';
  const database = await levelDbEngine({ writeBufferBytes: 64 * 1024 }).open({ directory: process.argv[1], taskId: '0_0', logger: silentLogger });
  const batch = new WriteBatch();
  const found = database.get(Buffer.from('key 0'));
  for (let number = found === undefined ? 1 : Number(Buffer.from(found).toString()) + 1; ; number++) {
    batch.clear();
    for (let key = 0; key < ${KEYS}; key++) batch.putBytes(Buffer.from('key ' + key), Buffer.from(String(number).padEnd(100)));
    await database.write(batch);
    process.stdout.write(number + '\\n');
  }
`;

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-death-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

const open = (directory: string) => levelDbEngine().open({ directory, taskId: '0_0', logger: silentLogger });

function startWriter(directory: string): ChildProcess {
  const options = ['--conditions=@millrace/source', '--import', 'tsx', '--input-type=module', '-e', WRITER, directory];
  return spawn(process.execPath, options, { cwd: PACKAGE, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Resolves with the last number that the writer has printed when it is gone; it is killed after so many numbers. */
async function killAfter(writer: ChildProcess, batches: number): Promise<number> {
  const gone = once(writer, 'exit');
  let text = '';
  let killed = false;
  for await (const chunk of writer.stdout as NonNullable<ChildProcess['stdout']>) {
    text += chunk;
    if (!killed && text.split('\n').length > batches) killed = writer.kill('SIGKILL');
  }
  await gone;
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
}

function numbersIn(database: StateDatabase): Set<number> {
  return new Set(
    Array.from({ length: KEYS }, (_, key) => Number(Buffer.from(database.get(Buffer.from(`key ${key}`)) ?? '').toString())),
  );
}

describe('a process that dies', () => {
  it('leaves every acknowledged batch whole, and no part of another', { timeout: TIMEOUT_MS }, async () => {
    const directory = join(home, 'killed');
    const random = seededRandom(7);
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await killAfter(startWriter(directory), 1 + Math.floor(random.next() * 400));
      const database = await open(directory);
      const numbers = numbersIn(database);
      await database.close();
      expect(numbers.size).toBe(1);
      expect([...numbers][0]).toBeGreaterThanOrEqual(acknowledged);
    }
  });

  it('keeps the directory to itself while it lives, and gives it up when it is killed', { timeout: TIMEOUT_MS }, async () => {
    const directory = join(home, 'shared');
    const writer = startWriter(directory);
    await new Promise((resolve) => writer.stdout?.once('data', resolve));
    const lock = await readFile(join(directory, 'lock'), 'utf8');
    await expect(open(directory)).rejects.toMatchObject({ name: 'RetriableError', code: 'STATE_LOCKED' });
    await expect(open(directory)).rejects.toThrow(new RegExp(`process ${writer.pid}`));
    await expect(levelDbEngine().destroy(directory)).rejects.toMatchObject({ name: 'RetriableError', code: 'STATE_LOCKED' });
    expect(await readFile(join(directory, 'lock'), 'utf8')).toBe(lock);
    await killAfter(writer, 0);
    await (await open(directory)).close();
  });

  it.each([
    ['a cut off lock file', '{"pid":'],
    ['a lock of another process with the same number', JSON.stringify({ pid: process.pid, started: 'earlier', token: '' })],
    ['a lock of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: '', token: '' })],
  ])('does not lock others out through %s', async (_what, content) => {
    const directory = await mkdtemp(join(home, 'stale-'));
    await writeFile(join(directory, 'lock'), content);
    await (await open(directory)).close();
  });
});
