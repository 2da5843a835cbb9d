import type { StateDatabase, StateEngine, StateSnapshot } from '../contracts/engine.ts';

/** How much has been read from the databases of an engine. */
export class ReadCounts {
  gets = 0;
  rows = 0;

  reset(): void {
    this.gets = 0;
    this.rows = 0;
  }
}

/** The same engine, whose reads are counted. */
export function countingEngine(engine: StateEngine, counts: ReadCounts): StateEngine {
  return {
    name: engine.name,
    persistent: engine.persistent,
    open: async (options) => counted(await engine.open(options), counts),
    quarantine: (directory) => engine.quarantine(directory),
    destroy: (directory) => engine.destroy(directory),
  };
}

function counted(database: StateDatabase, counts: ReadCounts): StateDatabase {
  const freeze = (): StateSnapshot => {
    const snapshot = database.snapshot?.() as StateSnapshot;
    return { ...countedReads(snapshot, counts), close: () => snapshot.close() };
  };
  return {
    ...countedReads(database, counts),
    ...(database.snapshot !== undefined && { snapshot: freeze }),
    write: (batch) => database.write(batch),
    close: () => database.close(),
  };
}

function countedReads(source: Omit<StateSnapshot, 'close'>, counts: ReadCounts): Omit<StateSnapshot, 'close'> {
  return {
    get(key) {
      counts.gets++;
      return source.get(key);
    },
    async *entries(range, options) {
      for await (const row of source.entries(range, options)) {
        counts.rows++;
        yield row;
      }
    },
  };
}
