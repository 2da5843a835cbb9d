import { type Logger, type StreamsError, TaskCorruptedError } from '@millrace/core';
import type { ByteRange, StateDatabase, StateSnapshot, WriteBatch } from '@millrace/state';
import { BatchWriter } from './batch-writer.ts';
import type { CompactionOptions } from './dead-ranges.ts';
import { markerKey, markerValue } from './engine-rows.ts';
import { levelCode, stateError } from './level-error.ts';
import type { Level, LevelSnapshot } from './level-store.ts';
import { OWNER_ROW, RowCodec } from './row-codec.ts';

/** Rows fetched from LevelDB at a time: 200 k rows/s instead of one promise per row. */
const ROWS_PER_READ = 500;
const READ_BYTES_MAX = 256 * 1024;

type Entries = AsyncGenerator<readonly [Uint8Array, Uint8Array], void>;

export interface LevelDbDatabaseOptions {
  readonly level: Level;
  /** Where the files are; shown in errors. */
  readonly directory: string;
  readonly taskId: string;
  readonly logger: Logger;
  /** The number of the last write that the database has seen. */
  readonly lastWrite: number;
  readonly compaction: CompactionOptions;
  /** Called when there was no room for so many bytes. */
  readonly onDiskFull: (bytes: number) => void;
  /** Called once the files are closed: gives the lock back. */
  readonly onClosed: () => Promise<void>;
}

/**
 * An open LevelDB.
 *
 * After a failed write, or damage found while reading, LevelDB is closed and every further call throws that error: it goes
 * on reading after a full disk, but never writes again, and what it would read is not to be trusted.
 */
export class LevelDbDatabase implements StateDatabase {
  readonly #level: Level;
  readonly #options: LevelDbDatabaseOptions;
  readonly #writer: BatchWriter;
  readonly #rows = new RowCodec();
  #lastWrite: number;
  #failure: StreamsError | undefined;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: LevelDbDatabaseOptions) {
    this.#options = options;
    this.#level = options.level;
    this.#lastWrite = options.lastWrite;
    this.#writer = new BatchWriter(options.level, options.compaction);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertUsable();
    let stored: Buffer | undefined;
    try {
      stored = this.#level.getSync(this.#rows.ownerKey(key));
    } catch (error) {
      throw this.#fail(stateError(error, this.#options.directory, this.#options.taskId));
    }
    return stored === undefined ? undefined : this.#valueIn(key, stored);
  }

  entries(range: ByteRange, options?: { readonly reverse?: boolean }): Entries {
    return this.#scan(range, options?.reverse === true);
  }

  snapshot(): StateSnapshot {
    this.#assertUsable();
    const snapshot = this.#level.snapshot();
    let isOpen = true;
    // LevelDB does not check: an iterator that is made over a snapshot after it was given back reads freed memory.
    const open = (): LevelSnapshot => {
      if (!isOpen) throw this.#closed();
      return snapshot;
    };
    return {
      get: (key) => this.#getFrom(open, key),
      entries: (range, options) => this.#scan(range, options?.reverse === true, open),
      close() {
        isOpen = false;
        void snapshot.close();
      },
    };
  }

  #getFrom(snapshot: () => LevelSnapshot, key: Uint8Array): Uint8Array | undefined {
    this.#assertUsable();
    const options = { snapshot: snapshot() };
    let stored: Buffer | undefined;
    try {
      stored = this.#level.getSync(this.#rows.ownerKey(key), options);
    } catch (error) {
      throw this.#fail(stateError(error, this.#options.directory, this.#options.taskId));
    }
    return stored === undefined ? undefined : this.#valueIn(key, stored);
  }

  async *#scan(range: ByteRange, reverse: boolean, snapshot?: () => LevelSnapshot): Entries {
    this.#assertUsable();
    const iterator = this.#level.iterator({
      gte: ownerBound(range.gte, OWNER_ROW),
      lt: range.lt === undefined ? Buffer.from([OWNER_ROW + 1]) : ownerBound(range.lt, OWNER_ROW),
      reverse,
      highWaterMarkBytes: READ_BYTES_MAX,
      snapshot: snapshot?.(),
    });
    try {
      for (;;) {
        const rows = await this.#guard(iterator.nextv(ROWS_PER_READ));
        if (rows.length === 0) return;
        for (const [storedKey, stored] of rows) {
          const key = storedKey.subarray(1);
          yield [key, this.#valueIn(key, stored)];
        }
      }
    } finally {
      await iterator.close();
    }
  }

  write(batch: WriteBatch): Promise<void> {
    this.#running = this.#write(batch);
    return this.#running;
  }

  async #write(batch: WriteBatch): Promise<void> {
    this.#assertUsable();
    const number = this.#lastWrite + 1;
    await this.#guard(this.#writer.write(batch, markerKey(number), markerValue(number)), batch.byteLength);
    this.#lastWrite = number;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Whoever called `write` has its error; here it only matters that it is over.
    await this.#running.catch(() => undefined);
    await this.#writer.settled();
    try {
      await this.#level.close();
    } finally {
      await this.#options.onClosed().catch((error: unknown) => this.#couldNotUnlock(error));
    }
  }

  /** The state is closed all the same, and nobody else can do better. */
  #couldNotUnlock(error: unknown): void {
    const { directory, logger } = this.#options;
    logger.warn('the lock of closed state could not be removed: nobody can open it before this process is gone', {
      directory,
      error,
    });
  }

  #valueIn(key: Uint8Array, stored: Uint8Array): Uint8Array {
    const value = this.#rows.valueIn(key, stored);
    if (value !== undefined) return value;
    const message = `a row in ${this.#options.directory} does not match its checksum; the state has to be restored from the changelog`;
    throw this.#fail(new TaskCorruptedError('STATE_CORRUPT', message, { taskId: this.#options.taskId }));
  }

  async #guard<T>(work: Promise<T>, bytes?: number): Promise<T> {
    try {
      return await work;
    } catch (error) {
      // That a reader has closed its snapshot while it was scanning is no failure of the database.
      if (this.#closing !== undefined || levelCode(error) === 'LEVEL_SNAPSHOT_NOT_OPEN') throw this.#closed();
      throw this.#fail(stateError(error, this.#options.directory, this.#options.taskId, bytes), bytes);
    }
  }

  #fail(error: StreamsError, bytes = 0): StreamsError {
    if (this.#failure === undefined) {
      if (error.code === 'STATE_DISK_FULL') this.#options.onDiskFull(bytes);
      this.#failure = error;
      this.#options.logger.error('state database failed and is not used any more', { directory: this.#options.directory, error });
    }
    return this.#failure;
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw this.#closed();
  }

  #closed(): TaskCorruptedError {
    const { directory, taskId } = this.#options;
    const message = `the state database in ${directory}, or a snapshot of it, has been closed; open it again`;
    return new TaskCorruptedError('STATE_CLOSED', message, { taskId });
  }
}

function ownerBound(key: Uint8Array | undefined, tag: number): Buffer {
  return key === undefined ? Buffer.from([tag]) : Buffer.concat([Buffer.from([tag]), key]);
}
