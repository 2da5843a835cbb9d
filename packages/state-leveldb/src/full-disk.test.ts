import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { stateError } from './database/level-error.ts';

const execute = promisify(execFile);
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

const TIMEOUT_MS = 300_000;

/** A small file system that only the child process sees, and that is gone with it. */
const ISOLATED = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
const MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"';
const home = mkdtempSync(join(tmpdir(), 'millrace-full-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const canMount = spawnSync('unshare', [...ISOLATED, MOUNT, home, 'true']).status === 0;

/** Fills the disk, goes on when there is room again, and tells what it has seen. */
const PROGRAM = `
  import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
  import { silentLogger } from '@millrace/core';
  import { WriteBatch } from '@millrace/state';
  import { levelDbEngine } from '@millrace/state-leveldb';
  const home = process.argv[1];
  const directory = home + '/0_0';
  mkdirSync(home + '/0_0.corrupt-1');
  writeFileSync(home + '/0_0.corrupt-1/old', Buffer.alloc(32 * 1024));
  const engine = levelDbEngine({ writeBufferBytes: 64 * 1024 });
  const options = { directory, taskId: '0_0', logger: silentLogger };
  const errors = [];
  const noted = (error) => void errors.push({ name: error.name, code: error.code, message: error.message });
  const write = (database, number) => {
    const batch = new WriteBatch();
    for (let key = 0; key < 50; key++) batch.putBytes(Buffer.from('key ' + key), Buffer.from(String(number).padEnd(1000)));
    // Stays, whatever comes later: however quickly LevelDB compacts, the disk gets full.
    batch.putBytes(Buffer.from('of batch ' + number), Buffer.alloc(20_000));
    return database.write(batch);
  };
  const numbersIn = (database) => new Set(Array.from({ length: 50 }, (_, key) => Number(Buffer.from(database.get(Buffer.from('key ' + key))).toString())));
  let database = await engine.open(options);
  await write(database, 1);
  writeFileSync(home + '/filler', Buffer.alloc(3 * 1024 * 1024));
  let written = 1;
  try { for (;;) { await write(database, written + 1); written++; } } catch (error) { noted(error); }
  try { database.get(Buffer.from('key 0')); } catch (error) { noted(error); }
  await database.close();
  // LevelDB may have given space back since.
  try { for (;;) appendFileSync(home + '/rest', Buffer.alloc(4096)); } catch {}
  await engine.open(options).catch(noted);
  rmSync(home + '/filler');
  rmSync(home + '/rest');
  database = await engine.open(options);
  const found = [...numbersIn(database)];
  await write(database, 1000);
  await database.close();
  database = await engine.open(options);
  const after = [...numbersIn(database)];
  await database.close();
  console.log(JSON.stringify({ errors, written, found, after, isCopyKept: existsSync(home + '/0_0.corrupt-1') }));
`;

describe('F14: a full disk', () => {
  it.runIf(canMount)(
    'fails a write with path and bytes, keeps what was written before, and goes on when there is room',
    async () => {
      const node = [
        process.execPath,
        '--conditions=@millrace/source',
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        PROGRAM,
        home,
      ];
      // Rejects, with what the program has written to stderr, unless it ends with 0.
      const { stdout } = await execute('unshare', [...ISOLATED, MOUNT, home, ...node], { cwd: PACKAGE, timeout: TIMEOUT_MS });
      const { errors, written, found, after, isCopyKept } = JSON.parse(stdout) as {
        errors: readonly { code: string; message: string }[];
        written: number;
        found: readonly number[];
        after: readonly number[];
        isCopyKept: boolean;
      };
      expect(errors.map(({ code }) => code)).toEqual(['STATE_DISK_FULL', 'STATE_DISK_FULL', 'STATE_DISK_FULL']);
      expect(errors[0]?.message).toMatch(new RegExp(`${home}/0_0 has no room for \\d+ bytes of state, \\d+ bytes are free`));
      expect(found).toEqual([written]);
      expect(after).toEqual([1000]);
      expect(isCopyKept).toBe(false);
    },
    TIMEOUT_MS,
  );

  it.each([
    ['IO error: /state/leveldb/000005.log: No space left on device', 'STATE_DISK_FULL'],
    ["ENOSPC: no space left on device, open '/state/lock'", 'STATE_DISK_FULL'],
    ['IO error: /state/leveldb/000005.log: Disk quota exceeded', 'STATE_DISK_FULL'],
    ['IO error: /state/leveldb/000005.ldb: Input/output error', 'STATE_IO_FAILED'],
    ['IO error: /state/leveldb/000005.ldb: Too many open files', 'STATE_TOO_MANY_FILES'],
  ])('is told from other failures: %s', (text, code) => {
    expect(stateError(new Error(text), home, '0_0').code).toBe(code);
  });
});
