import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@millrace/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateDirectory } from '../state-directory/state-directory.ts';
import { holdLocalState, localStateOf } from './local-state.ts';

describe('the local state of an application', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-reset-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function makeInstance(id: string): string {
    const path = join(root, 'app', id);
    mkdirSync(join(path, '0_0'), { recursive: true });
    writeFileSync(join(path, '0_0', 'data'), 'x');
    return path;
  }

  it('is what its processes left, and nothing where none ran', () => {
    const paths = [makeInstance('0'), makeInstance('1')];
    mkdirSync(join(root, 'app', 'notes'));
    expect(localStateOf(root, 'app')).toEqual(paths);
    expect(localStateOf(root, 'other')).toEqual([]);
  });

  it('is deleted with the directory around it, which stays when something else is in it', () => {
    const path = makeInstance('0');
    writeFileSync(join(root, 'app', 'notes'), 'mine');
    {
      using state = holdLocalState([path]);
      state.delete();
    }
    expect([existsSync(path), existsSync(join(root, 'app', 'notes'))]).toEqual([false, true]);
    rmSync(join(root, 'app', 'notes'));
    {
      using state = holdLocalState([makeInstance('0')]);
      state.delete();
    }
    expect(existsSync(join(root, 'app'))).toBe(false);
  });

  it('is not taken from a worker that runs, and what was taken before is given back', () => {
    const free = makeInstance('1');
    const worker = StateDirectory.claim(root, 'app', seededRandom(1));
    expect(() => holdLocalState([free, worker.path])).toThrow(expect.objectContaining({ code: 'RESET_STATE_IN_USE' }));
    worker.release();
    using both = holdLocalState([free, worker.path]);
    expect(both).toBeDefined();
  });
});
