import { mkdirSync } from 'node:fs';
import { relative } from 'node:path';
import { RetriableError, silentLogger, TaskCorruptedError } from '@millrace/core';
import {
  memoryEngine,
  type OpenDatabaseOptions,
  type StateDatabase,
  type StateEngine,
  type StateSnapshot,
  WriteBatch,
} from '@millrace/state';
import type { SimulatedProcess } from './simulated-process.ts';

/** How long the disk takes at most; mostly far shorter. */
const DISK_MAX_MS = 20;
const NOTHING = Buffer.alloc(0);
/** One for all: the rows in memory take a batch at once. */
const SCRATCH = new WriteBatch();

interface Operation {
  readonly kind: 'put' | 'delete' | 'delete-range';
  readonly key: Buffer;
  /** The end of a range. */
  readonly value: Buffer;
}

/** What lies on the disk of one task: every batch that has reached it, and what they make together. */
interface StoredDatabase {
  readonly batches: (readonly Operation[])[];
  rows: StateDatabase;
}

/**
 * The disk of a worker, which outlives its process. A batch that has not arrived when the process dies is lost, all of it; one that
 * has arrived is there. When the power fails the last batches may be lost, too.
 */
export class SimulatedDisk {
  readonly #databases = new Map<string, StoredDatabase>();
  isFull = false;

  /** The databases by their directories, relative to the state directory. */
  get databases(): ReadonlyMap<string, { readonly rows: StateDatabase }> {
    return this.#databases;
  }

  /** Everything is gone. */
  wipe(): void {
    this.#databases.clear();
  }

  /** Each database loses its last batches. */
  async losePower(batchesLost: () => number): Promise<void> {
    for (const database of this.#databases.values()) {
      database.batches.splice(Math.max(0, database.batches.length - batchesLost()));
      database.rows = await emptyRows();
      for (const batch of database.batches) await database.rows.write(batchOf(batch));
    }
  }

  /** The engine of a process that has this disk. */
  engineOf(process: SimulatedProcess, stateDir: string): StateEngine {
    const open = new Set<string>();
    const nameOf = (directory: string): string => relative(stateDir, directory);
    return {
      name: 'simulated',
      persistent: true,
      // The note beside a database would be written on a real disk, which nobody schedules.
      hasDirectories: false,
      open: async ({ directory, taskId }: OpenDatabaseOptions) => {
        await process.clock.sleep(process.delay(DISK_MAX_MS));
        const name = nameOf(directory);
        if (open.has(name)) throw new RetriableError('STATE_LOCKED', `the state of ${directory} is open already`, { taskId });
        // An open database writes to its log at once.
        if (this.isFull) throw noRoom(taskId);
        mkdirSync(directory, { recursive: true });
        const database = this.#databases.get(name) ?? { batches: [], rows: await emptyRows() };
        this.#databases.set(name, database);
        open.add(name);
        return new OpenDatabase({ process, database, disk: this, taskId, onClose: () => void open.delete(name) });
      },
      quarantine: async (directory) => void this.#databases.delete(nameOf(directory)),
      destroy: async (directory) => void this.#databases.delete(nameOf(directory)),
    };
  }
}

interface OpenDatabaseParts {
  readonly process: SimulatedProcess;
  readonly database: StoredDatabase;
  readonly disk: SimulatedDisk;
  readonly taskId: string;
  readonly onClose: () => void;
}

/** A database as a process has it open. */
class OpenDatabase implements StateDatabase {
  readonly #parts: OpenDatabaseParts;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;
  #failure: TaskCorruptedError | undefined;

  constructor(parts: OpenDatabaseParts) {
    this.#parts = parts;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows().get(key);
  }

  entries(...range: Parameters<StateDatabase['entries']>): ReturnType<StateDatabase['entries']> {
    return this.#rows().entries(...range);
  }

  snapshot(): StateSnapshot {
    const frozen = (this.#rows() as Required<StateDatabase>).snapshot();
    return {
      get: (key) => this.#readable(frozen).get(key),
      entries: (...range) => this.#readable(frozen).entries(...range),
      close: () => frozen.close(),
    };
  }

  /** A snapshot does not outlive its database. */
  #readable(frozen: StateSnapshot): StateSnapshot {
    this.#rows();
    return frozen;
  }

  write(batch: WriteBatch): Promise<void> {
    const { process, disk, taskId } = this.#parts;
    if (this.#isClosed || this.#failure !== undefined) return Promise.reject(this.#failure ?? this.#unusable());
    this.#writing = new Promise((resolve, reject) => {
      process.after(process.delay(DISK_MAX_MS), 'disk', () => {
        if (!disk.isFull) return resolve(this.#apply(batch));
        this.#failure = noRoom(taskId);
        reject(this.#failure);
      });
    });
    return this.#writing;
  }

  async #apply(batch: WriteBatch): Promise<void> {
    const { batches, rows } = this.#parts.database;
    const operations = operationsOf(batch);
    batches.push(operations);
    await rows.write(batchOf(operations));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writing.catch(() => undefined);
    this.#parts.onClose();
  }

  #rows(): StateDatabase {
    if (this.#isClosed || this.#failure !== undefined) throw this.#failure ?? this.#unusable();
    return this.#parts.database.rows;
  }

  #unusable(): TaskCorruptedError {
    return new TaskCorruptedError('STATE_CLOSED', 'the database has been closed', { taskId: this.#parts.taskId });
  }
}

function noRoom(taskId: string): TaskCorruptedError {
  return new TaskCorruptedError('STATE_DISK_FULL', 'no space left on device', { taskId });
}

function emptyRows(): Promise<StateDatabase> {
  return memoryEngine().open({ directory: '', taskId: '', logger: silentLogger });
}

function operationsOf(batch: WriteBatch): Operation[] {
  const operations: Operation[] = [];
  const copy = (bytes: Buffer, start: number, end: number): Buffer => Buffer.from(bytes.subarray(start, end));
  batch.visit({
    put: (bytes, keyStart, keyEnd, start, end) =>
      operations.push({ kind: 'put', key: copy(bytes, keyStart, keyEnd), value: copy(bytes, start, end) }),
    delete: (bytes, start, end) => operations.push({ kind: 'delete', key: copy(bytes, start, end), value: NOTHING }),
    deleteRange: (bytes, startStart, startEnd, start, end) =>
      operations.push({ kind: 'delete-range', key: copy(bytes, startStart, startEnd), value: copy(bytes, start, end) }),
  });
  return operations;
}

function batchOf(operations: readonly Operation[]): WriteBatch {
  SCRATCH.clear();
  for (const { kind, key, value } of operations) {
    if (kind === 'put') SCRATCH.putBytes(key, value);
    else if (kind === 'delete') SCRATCH.deleteBytes(key);
    else {
      SCRATCH.begin();
      SCRATCH.scratch.writeBytes(key);
      SCRATCH.endKey();
      SCRATCH.scratch.writeBytes(value);
      SCRATCH.deleteRange();
    }
  }
  return SCRATCH;
}
