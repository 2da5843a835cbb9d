import { RetriableError } from '@millrace/core';
import type { OpenDatabaseOptions, StateDatabase, StateEngine } from '../contracts/engine.ts';
import { MemoryDatabase } from './memory-database.ts';

/**
 * Keeps state in the memory of the process: for tests, and for stores that are declared `inMemory`.
 *
 * What a database holds is gone when it is closed; stores come back from their changelogs.
 *
 * @example const driver = new TopologyTestDriver(topology, { engine: memoryEngine() });
 */
export function memoryEngine(): StateEngine {
  return new MemoryEngine();
}

class MemoryEngine implements StateEngine {
  readonly name = 'memory';
  readonly persistent = false;
  readonly #openDirectories = new Set<string>();

  async open(options: OpenDatabaseOptions): Promise<StateDatabase> {
    const { directory, taskId } = options;
    if (this.#openDirectories.has(directory)) {
      throw new RetriableError('STATE_LOCKED', `the state of ${directory} is open already; close it first`, { taskId });
    }
    this.#openDirectories.add(directory);
    return new MemoryDatabase(taskId, () => this.#openDirectories.delete(directory));
  }

  async quarantine(): Promise<void> {}

  async destroy(): Promise<void> {}
}
