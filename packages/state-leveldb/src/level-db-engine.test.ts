import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger, type Logger } from '@millrace/core';
import { describeStateEngineContract, describeStoreContract } from '@millrace/state/contract';
import { levelDbEngine } from './level-db-engine.ts';

const directories: string[] = [];

const harness = {
  createEngine: () => levelDbEngine(),
  async createDirectory() {
    const parent = await mkdtemp(join(tmpdir(), 'millrace-state-'));
    directories.push(parent);
    return join(parent, '0_0');
  },
  async cleanUp() {
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  },
};

it('F15: closes state whose lock cannot be removed, and says so', async () => {
  const directory = await harness.createDirectory();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const database = await levelDbEngine().open({ directory, taskId: '0_0', logger });
  // A stand-in for a file system that has become read-only: a directory cannot be read as a lock, nor removed as a file.
  await rm(join(directory, 'lock'));
  await mkdir(join(directory, 'lock'));
  await database.close();
  expect(warnings).toEqual([expect.stringContaining('the lock of closed state could not be removed')]);
  await harness.cleanUp();
});

describeStateEngineContract('leveldb', harness);
describeStoreContract('leveldb', harness);
