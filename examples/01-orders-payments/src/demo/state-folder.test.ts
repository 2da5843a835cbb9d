import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createStateFolder } from './state-folder.ts';

describe('createStateFolder', () => {
  it('gives a folder that is gone afterwards', async () => {
    const folder = await createStateFolder();
    expect(existsSync(folder.path)).toBe(true);
    await folder[Symbol.asyncDispose]();
    expect(existsSync(folder.path)).toBe(false);
  });

  it('says what to do when it may not make one', async () => {
    const notAFolder = fileURLToPath(import.meta.url);
    await expect(createStateFolder(notAFolder)).rejects.toThrow(
      /^no place for the workers' state: .*; set TMPDIR to a folder that you may write to$/,
    );
  });
});
