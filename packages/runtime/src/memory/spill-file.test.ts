import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpillFile } from './spill-file.ts';

describe('SpillFile', () => {
  let directory: string;
  let path: string;
  let file: SpillFile;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-spill-'));
    path = join(directory, 'outputs-0');
    file = new SpillFile(path, silentLogger);
  });
  afterEach(() => {
    file.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('gives back what was written, in any order', () => {
    const places = ['one', 'two, which is longer', 'three'].map((text) => [text, file.write(Buffer.from(text))] as const);
    for (const [text, position] of places.toReversed()) expect(String(file.read(position, text.length))).toBe(text);
  });

  it('leaves nothing behind in the directory, even while it is in use', () => {
    expect(existsSync(path)).toBe(false);
    file.write(Buffer.from('something'));
    expect(readdirSync(directory)).toEqual([]);
  });

  it('takes the place of what a crash has left', () => {
    writeFileSync(path, 'left by another process');
    expect(file.write(Buffer.from('new'))).toBe(0);
    expect(String(file.read(0, 3))).toBe('new');
    expect(() => file.read(0, 4)).toThrow('nothing stands at 0');
  });

  it('begins anew after it was cleared, and after it was closed', () => {
    file.write(Buffer.from('first'));
    file.clear();
    expect(() => file.read(0, 5)).toThrow();
    expect(file.write(Buffer.from('second'))).toBe(0);
    file.close();
    expect(() => file.read(0, 6)).toThrow();
    expect(file.write(Buffer.from('third'))).toBe(0);
    expect(String(file.read(0, 5))).toBe('third');
  });

  it('says what the system says when it cannot be made', () => {
    rmSync(directory, { recursive: true });
    expect(() => file.write(Buffer.from('x'))).toThrow(/ENOENT.*outputs-0/);
  });

  it.runIf(existsSync('/dev/full'))('has nothing of what the disk had no room for', () => {
    symlinkSync('/dev/full', path);
    expect(() => file.write(Buffer.from('x'))).toThrow(/ENOSPC/);
    expect(() => file.read(0, 1)).toThrow('nothing stands at 0');
  });
});
