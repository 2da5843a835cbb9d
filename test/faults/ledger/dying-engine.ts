import type { OpenDatabaseOptions, StateDatabase, StateEngine, WriteBatch } from '@millrace/state';

type Freezable = Required<Pick<StateDatabase, 'snapshot'>>;

/** An engine whose process is killed by its own hand while it writes its n-th batch. */
export class DyingEngine implements StateEngine {
  readonly name: string;
  readonly persistent: boolean;
  readonly #inner: StateEngine;
  #writesLeft: number;

  constructor(inner: StateEngine, writes: number) {
    this.name = inner.name;
    this.persistent = inner.persistent;
    this.#inner = inner;
    this.#writesLeft = writes;
  }

  async open(options: OpenDatabaseOptions): Promise<StateDatabase> {
    const database = await this.#inner.open(options);
    return {
      get: (key) => database.get(key),
      entries: (range, order) => database.entries(range, order),
      ...(database.snapshot !== undefined && { snapshot: () => (database as Freezable).snapshot() }),
      write: (batch: WriteBatch) => this.#write(database, batch),
      close: () => database.close(),
    };
  }

  quarantine(directory: string): Promise<void> {
    return this.#inner.quarantine(directory);
  }

  destroy(directory: string): Promise<void> {
    return this.#inner.destroy(directory);
  }

  #write(database: StateDatabase, batch: WriteBatch): Promise<void> | undefined {
    const written = database.write(batch);
    // The batch is on its way to the disk on another thread; whether all of it arrives is what the test is about.
    if (--this.#writesLeft === 0) process.kill(process.pid, 'SIGKILL');
    return written;
  }
}
