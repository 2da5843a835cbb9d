import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryEngine, type StateEngine } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';

/** An engine and the directory under which a driver keeps its state. */
export interface EngineUnderTest {
  readonly engine: StateEngine;
  readonly directory: string;
}

/** Runs the action with the engine of that name; its files are deleted afterwards. */
export async function withEngine(name: string, action: (engine: EngineUnderTest) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-conformance-'));
  try {
    await action({ engine: name === 'leveldb' ? levelDbEngine() : memoryEngine(), directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
