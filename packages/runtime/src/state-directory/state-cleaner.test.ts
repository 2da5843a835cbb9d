import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogFields, type Logger, RetriableError, seededRandom, silentLogger } from '@millrace/core';
import { StateCleaner } from './state-cleaner.ts';
import { StateDirectory } from './state-directory.ts';

const DELAY_MS = 600_000;

describe('StateCleaner', () => {
  let root: string;
  let directory: StateDirectory;
  let cleaner: StateCleaner;
  let nowMs = 0;
  let lines: string[] = [];
  let destroy: (path: string) => Promise<void>;
  const held = new Set<string>();

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-state-'));
    directory = StateDirectory.claim(root, 'app', seededRandom(1));
    held.clear();
    lines = [];
    nowMs = 10 * DELAY_MS;
    destroy = (path) => rm(path, { recursive: true });
    cleaner = create();
  });
  afterEach(() => {
    directory.release();
    rmSync(root, { recursive: true, force: true });
  });

  function create(sweep?: (path: string) => Promise<void>): StateCleaner {
    const log = (message: string, fields?: LogFields): void => void lines.push(`${message}: ${String(fields?.taskId)}`);
    const logger: Logger = { ...silentLogger, info: log, warn: log };
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    return new StateCleaner({
      directory,
      engine: { destroy: (path) => destroy(path), ...(sweep === undefined ? {} : { sweep }) },
      clock,
      logger,
      delayMs: DELAY_MS,
    });
  }

  /** State that was last used at this time. */
  function state(taskId: string, usedMs: number): void {
    const path = directory.taskPath(taskId);
    mkdirSync(join(path, 'leveldb'), { recursive: true });
    writeFileSync(join(path, 'leveldb', 'rows'), '');
    for (const one of [join(path, 'leveldb', 'rows'), path]) utimesSync(one, usedMs / 1000, usedMs / 1000);
  }

  async function cleaned(): Promise<void> {
    await cleaner.cleanIfDue((taskId) => held.has(taskId));
  }

  const kept = (): string[] => directory.tasks().map(({ subtopology, partition }) => `${subtopology}_${partition}`);

  it('deletes state that nobody has used for the delay, and says so', async () => {
    state('0_0', nowMs);
    state('0_1', nowMs + 1000);
    nowMs += DELAY_MS;
    await cleaned();
    expect(kept()).toEqual(['0_1']);
    expect(lines).toEqual(['deleted the local state of a task that has moved away: 0_0']);
  });

  it('never deletes state that the worker has or is about to open', async () => {
    state('0_0', 0);
    held.add('0_0');
    nowMs += DELAY_MS;
    await cleaned();
    expect(kept()).toEqual(['0_0']);
  });

  it('leaves what another thread has open, without a word', async () => {
    state('0_0', 0);
    destroy = () => Promise.reject(new RetriableError('STATE_LOCKED', 'open in process 1'));
    nowMs += DELAY_MS;
    await cleaned();
    expect([kept(), lines]).toEqual([['0_0'], []]);
  });

  it('has what was left half deleted deleted once, at first, whatever the delay; nothing comes of a failure', async () => {
    const swept: string[] = [];
    const sweep = async (path: string): Promise<void> => {
      swept.push(path);
      throw new Error('no rights');
    };
    state('0_0', 0);
    cleaner = create(sweep);
    await cleaned();
    expect([swept, kept()]).toEqual([[directory.path], ['0_0']]);
    nowMs += DELAY_MS;
    await cleaned();
    expect([swept, kept()]).toEqual([[directory.path], []]);
    expect(lines[0]).toContain('being deleted when a process died');
  });

  it('looks once in the delay, for the first time when it is over', async () => {
    state('0_0', 0);
    await cleaned();
    expect(kept()).toEqual(['0_0']);
    nowMs += DELAY_MS;
    await cleaned();
    expect(kept()).toEqual([]);
    state('0_0', 0);
    nowMs += DELAY_MS - 1;
    await cleaned();
    expect(kept()).toEqual(['0_0']);
  });

  it('keeps state that is newer than a wall clock that was put back', async () => {
    nowMs += DELAY_MS;
    state('0_0', nowMs + 100 * DELAY_MS);
    await cleaned();
    expect(kept()).toEqual(['0_0']);
  });

  it('stops after the directory that it is deleting when tasks are to be opened', async () => {
    for (const taskId of ['0_0', '0_1', '0_2']) state(taskId, 0);
    let finish: () => void = () => undefined;
    destroy = async (path) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await rm(path, { recursive: true });
    };
    nowMs += DELAY_MS;
    void cleaner.cleanIfDue(() => false);
    const interrupted = cleaner.interrupt();
    finish();
    await interrupted;
    expect(kept()).toHaveLength(2);
  });

  it('says what could not be deleted, goes on with the next one, and tries again', async () => {
    state('0_0', 0);
    state('0_1', 0);
    destroy = (path) => (path.endsWith('0_0') ? Promise.reject(new Error('read-only')) : rm(path, { recursive: true }));
    nowMs += DELAY_MS;
    await cleaned();
    expect(kept()).toEqual(['0_0']);
    expect(lines).toContainEqual(expect.stringMatching(/could not be deleted.*0_0$/));
    destroy = (path) => rm(path, { recursive: true });
    nowMs += DELAY_MS;
    await cleaned();
    expect(kept()).toEqual([]);
  });

  it('leaves everything that is not the state of a task', async () => {
    const others = ['global', '0_0.corrupt-1', 'x'].map((name) => join(directory.path, name));
    for (const path of others) mkdirSync(path);
    for (const path of others) utimesSync(path, 0, 0);
    nowMs += DELAY_MS;
    await cleaned();
    expect(others.filter((path) => existsSync(path))).toEqual(others);
  });
});
