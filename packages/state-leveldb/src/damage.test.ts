import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, silentLogger, StreamsError } from '@millrace/core';
import { type StateDatabase, WriteBatch } from '@millrace/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { levelDbEngine } from './level-db-engine.ts';

const KEYS = 400;
const BATCHES = 170;
const KEYS_PER_BATCH = 40;
const TRIALS_PER_FILE = 12;

type Content = ReadonlyMap<string, string>;

/** The content after each batch: damage may cut off the end of history, but not change what came before. */
const history: Content[] = [new Map()];
const seed = 20_261_121;
let home: string;
let original: string;

function open(directory: string): Promise<StateDatabase> {
  const engine = levelDbEngine({ writeBufferBytes: 256 * 1024, random: seededRandom(seed) });
  return engine.open({ directory, taskId: '0_0', logger: silentLogger });
}

/** Several tables, and a log of several blocks. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-damage-'));
  original = join(home, '0_0');
  const random = seededRandom(seed);
  const database = await open(original);
  const batch = new WriteBatch();
  for (let number = 1; number <= BATCHES; number++) {
    const content = new Map(history.at(-1));
    const put = (key: string, value: string) => {
      content.set(key, value);
      batch.putBytes(Buffer.from(key), Buffer.from(value));
    };
    batch.clear();
    put('batch', String(number));
    for (let i = 0; i < KEYS_PER_BATCH; i++)
      put(`key ${Math.floor(random.next() * KEYS)}`, `${number} ${random.next()}`.padEnd(100, '.'));
    await database.write(batch);
    history.push(content);
  }
  await database.close();
});

afterAll(() => rm(home, { recursive: true, force: true }));

async function contentOf(directory: string): Promise<Content> {
  const database = await open(directory);
  try {
    const content = new Map<string, string>();
    for (const key of ['batch', ...Array.from({ length: KEYS }, (_, i) => `key ${i}`)]) {
      const value = database.get(Buffer.from(key));
      if (value !== undefined) content.set(key, Buffer.from(value).toString());
    }
    const scanned = new Map<string, string>();
    for await (const [key, value] of database.entries({}))
      scanned.set(Buffer.from(key).toString(), Buffer.from(value).toString());
    expect(scanned).toEqual(content);
    return content;
  } finally {
    await database.close();
  }
}

/** Damages a copy and reads it: either the damage is noticed, or what is read is the state after some batch. */
async function tryDamage(name: string, damage: (path: string) => Promise<string>): Promise<'noticed' | 'harmless'> {
  const copy = join(home, 'copy');
  await rm(copy, { recursive: true, force: true });
  await cp(original, copy, { recursive: true });
  const what = `${name}: ${await damage(join(copy, name))}`;
  let content: Content;
  try {
    content = await contentOf(copy);
  } catch (error) {
    if (!(error instanceof StreamsError)) throw error;
    expect(error.code, what).toMatch(/^STATE_(CORRUPT|IO_FAILED|FORMAT_)/);
    return 'noticed';
  }
  expect(content, what).toEqual(history[Number(content.get('batch') ?? 0)]);
  return 'harmless';
}

describe('F16: a damaged state directory never gives a wrong row', () => {
  const random = seededRandom(seed + 1);
  const below = (limit: number) => Math.floor(random.next() * limit);

  async function filesOf(pattern: RegExp): Promise<string[]> {
    const names = (await readdir(original, { recursive: true })).filter((name) => pattern.test(name)).sort();
    expect(names.length).toBeGreaterThan(0);
    return names;
  }

  const flip = (mask: number) => async (path: string) => {
    const bytes = await readFile(path);
    const at = below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ mask;
    await writeFile(path, bytes);
    return `byte ${at} of ${bytes.length} xor ${mask}`;
  };
  const cut = async (path: string) => {
    const length = below((await stat(path)).size);
    await truncate(path, length);
    return `cut to ${length}`;
  };
  const remove = async (path: string) => {
    await rm(path);
    return 'removed';
  };

  it.each([
    ['a table', /\.ldb$/],
    ['the log', /\.log$/],
    ['the manifest', /MANIFEST/],
    ['CURRENT', /CURRENT$/],
    ['the marker beside it', /state\.json$/],
  ])('when %s has a flipped bit, is cut or is removed', async (_what, pattern) => {
    const outcomes = { noticed: 0, harmless: 0 };
    for (const name of await filesOf(pattern)) {
      for (let trial = 0; trial < TRIALS_PER_FILE; trial++) {
        outcomes[await tryDamage(name, flip(1 << below(8)))]++;
        outcomes[await tryDamage(name, cut)]++;
      }
      outcomes[await tryDamage(name, remove)]++;
    }
    expect(outcomes.noticed).toBeGreaterThan(0);
  });

  it('when bits of a table flip after it was verified', async () => {
    const copy = join(home, 'rotting');
    await cp(original, copy, { recursive: true });
    const engine = levelDbEngine({ verifyFiles: false });
    for (const name of await filesOf(/\.ldb$/)) await flip(1)(join(copy, name));
    const database = await engine.open({ directory: copy, taskId: '0_0', logger: silentLogger });
    const expected = history.at(-1) as Content;
    for (const [key, value] of expected) {
      try {
        const found = database.get(Buffer.from(key));
        if (found !== undefined) expect(Buffer.from(found).toString()).toBe(value);
      } catch (error) {
        expect((error as StreamsError).code).toMatch(/^STATE_(CORRUPT|IO_FAILED)/);
      }
    }
    await database.close();
  });

  it('and can be put aside and begun anew', async () => {
    const copy = join(home, '0_1');
    const engine = levelDbEngine();
    for (let round = 1; round <= 4; round++) {
      await cp(original, copy, { recursive: true });
      await rm(join(copy, 'leveldb', 'CURRENT'));
      await expect(contentOf(copy)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      await engine.quarantine(copy);
    }
    expect(await contentOf(copy)).toEqual(new Map());
    const kept = (await readdir(home)).filter((name) => name.startsWith('0_1.corrupt-')).sort();
    expect(kept).toEqual(['0_1.corrupt-3', '0_1.corrupt-4']);
  });
});

describe('F16: foreign files in a state directory', () => {
  it('are left alone when LevelDB does not know them', async () => {
    const copy = join(home, 'littered');
    await cp(original, copy, { recursive: true });
    await writeFile(join(copy, 'README'), 'not ours');
    await writeFile(join(copy, 'leveldb', 'core.1234'), 'not ours');
    await mkdir(join(copy, 'leveldb', 'lost+found'));
    expect(await contentOf(copy)).toEqual(history.at(-1));
  });

  it.each([
    ['a table of another database', async (copy: string) => writeFile(join(copy, 'leveldb', '999999.ldb'), 'not a table')],
    ['a log of another database', async (copy: string) => writeFile(join(copy, 'leveldb', '999999.log'), 'not a log')],
    ['a directory in place of the marker', async (copy: string) => replaceByDirectory(join(copy, 'state.json'))],
    ['a directory in place of CURRENT', async (copy: string) => replaceByDirectory(join(copy, 'leveldb', 'CURRENT'))],
  ])('are noticed, or do no harm: %s', async (name, plant) => {
    const copy = join(home, 'planted');
    await rm(copy, { recursive: true, force: true });
    await cp(original, copy, { recursive: true });
    await plant(copy);
    try {
      expect(await contentOf(copy), name).toEqual(history.at(-1));
    } catch (error) {
      expect(error, name).toMatchObject({ name: 'TaskCorruptedError', code: expect.stringMatching(/^STATE_/) });
    }
    const engine = levelDbEngine();
    await engine.quarantine(copy);
    expect(await contentOf(copy)).toEqual(new Map());
  });

  it('are noticed when they are the whole state of another task', async () => {
    const copy = join(home, 'swapped');
    await cp(original, copy, { recursive: true });
    const engine = levelDbEngine();
    await expect(engine.open({ directory: copy, taskId: '0_9', logger: silentLogger })).rejects.toMatchObject({
      name: 'TaskCorruptedError',
      code: 'STATE_FOREIGN',
      message: expect.stringContaining('written for task 0_0'),
    });
  });

  async function replaceByDirectory(path: string): Promise<void> {
    await rm(path);
    await mkdir(path);
  }
});

describe('the format of a state directory', () => {
  async function withFormat(format: number): Promise<string> {
    const copy = join(home, `format-${format}`);
    await cp(original, copy, { recursive: true });
    const path = join(copy, 'state.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), format }));
    return copy;
  }

  it('is refused when it is newer than this version', async () => {
    await expect(open(await withFormat(3))).rejects.toMatchObject({ name: 'SettingsError', code: 'STATE_FORMAT_NEWER' });
  });

  it('leads to a restore when it is older', async () => {
    await expect(open(await withFormat(1))).rejects.toMatchObject({ name: 'TaskCorruptedError', code: 'STATE_FORMAT_OLDER' });
  });
});
