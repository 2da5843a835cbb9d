import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

describeStateEngineContract('leveldb', harness);
describeStoreContract('leveldb', harness);
