import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { levelDbEngine } from '../level-db-engine.ts';

describe('a deletion that the death of the process cut short', () => {
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'millrace-deleted-'));
    for (const name of ['0_0.deleted', '0_1', '0_1.corrupt-1', '0_2', 'global.deleted']) {
      await mkdir(join(parent, name, 'leveldb'), { recursive: true });
      await writeFile(join(parent, name, 'leveldb', '000003.log'), 'rows');
    }
    await writeFile(join(parent, 'notes.deleted'), 'not a directory');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('is ended by a sweep, which touches nothing else', async () => {
    await levelDbEngine().sweep?.(parent);
    expect((await readdir(parent)).sort()).toEqual(['0_1', '0_1.corrupt-1', '0_2', 'notes.deleted']);
  });

  it('is ended by the next deletion of the same directory', async () => {
    await mkdir(join(parent, '0_0'));
    await levelDbEngine().destroy(join(parent, '0_0'));
    expect((await readdir(parent)).filter((name) => name.startsWith('0_0'))).toEqual([]);
  });
});
