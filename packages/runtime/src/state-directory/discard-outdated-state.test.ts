import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, seededRandom, silentLogger, string, topic } from '@millrace/core';
import { keyValueStore, type StateEngine } from '@millrace/state';
import { Topology } from '@millrace/topology';
import { discardOutdatedState } from './discard-outdated-state.ts';
import { StateDirectory } from './state-directory.ts';

const HOUR = 3_600_000;
const text = { key: string(), value: string() };

describe('discardOutdatedState', () => {
  let root: string;
  let directory: StateDirectory;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-state-'));
    directory = StateDirectory.claim(root, 'app', seededRandom(1));
  });
  afterEach(() => {
    directory.release();
    rmSync(root, { recursive: true, force: true });
  });

  /** State whose files were written at these times. */
  function written(...timesMs: number[]): void {
    const files = join(directory.taskPath('0_0'), 'leveldb');
    mkdirSync(files, { recursive: true });
    for (const [index, timeMs] of timesMs.entries()) {
      writeFileSync(join(files, String(index)), '');
      utimesSync(join(files, String(index)), timeMs / 1000, timeMs / 1000);
    }
  }

  async function discarded(nowMs: number, topicConfig: Record<string, string> = {}): Promise<string[]> {
    const destroyed: string[] = [];
    const store = keyValueStore('s', string(), string());
    const topology = new Topology()
      .addSource('in', topic('in', text))
      .addProcessor('p', () => ({ process: () => undefined }), ['in']);
    const [subtopology] = topology.addStateStore(store, ['p']).plan().subtopologies;
    if (subtopology === undefined) throw new Error('the topology is empty');
    const engine = { destroy: async (path: string) => void destroyed.push(path) } as unknown as StateEngine;
    const clock = { nowMs: () => nowMs } as Clock;
    await discardOutdatedState('0_0', { directory, engine, clock, logger: silentLogger, subtopology, topicConfig });
    return destroyed;
  }

  it('F18: deletes state to which nothing was written for longer than tombstones are kept', async () => {
    written(HOUR, 2 * HOUR);
    expect(await discarded(25 * HOUR)).toEqual([]);
    expect(await discarded(26 * HOUR)).toEqual([directory.taskPath('0_0')]);
  });

  it('F18: goes by the configuration of the changelogs', async () => {
    written(HOUR);
    expect(await discarded(3 * HOUR, { 'delete.retention.ms': String(HOUR) })).toHaveLength(1);
    expect(await discarded(30 * HOUR, { 'delete.retention.ms': String(100 * HOUR) })).toEqual([]);
  });

  it('has nothing to do where there is no state', async () => {
    expect(await discarded(1000 * HOUR)).toEqual([]);
  });
});
