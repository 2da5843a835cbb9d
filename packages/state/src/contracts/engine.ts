import type { Logger } from '@millrace/core';
import type { WriteBatch } from '../write-batch.ts';

/** Bounds of a scan over keys in byte order; absent bounds are open. */
export interface ByteRange {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
}

export interface OpenDatabaseOptions {
  /** Directory of the task, created when missing. In-memory engines use it only as an identity. */
  readonly directory: string;
  readonly taskId: string;
  readonly logger: Logger;
}

/**
 * Where the committed state of tasks is kept. One database per task.
 *
 * Implementations: in-memory (this package), LevelDB (`@millrace/state-leveldb`). Each passes the suite exported from
 * `@millrace/state/contract`.
 */
export interface StateEngine {
  /** Shown in logs. */
  readonly name: string;
  /** True when what was written is there again after the process has died. */
  readonly persistent: boolean;
  /**
   * True when the directory of a task is one of the file system, so that a hint may be kept in a file beside the database.
   * Default: `persistent`.
   */
  readonly hasDirectories?: boolean;
  /**
   * Opens or creates the database of a task.
   *
   * @throws RetriableError `STATE_LOCKED` when another process or another task object has it open
   * @throws TaskCorruptedError when the files are damaged; call `quarantine` and open again
   */
  open(options: OpenDatabaseOptions): Promise<StateDatabase>;
  /**
   * Puts the files of a closed database aside (renamed, at most a few kept) so that the next `open` starts empty.
   * Never deletes the only copy before the rename succeeded.
   */
  quarantine(directory: string): Promise<void>;
  /**
   * Deletes the files of a closed database. A database that does not exist is fine.
   *
   * @throws RetriableError `STATE_LOCKED` when somebody has it open, also in another thread or process; nothing is deleted then
   */
  destroy(directory: string): Promise<void>;
  /**
   * Deletes what was being deleted when a process died, among the databases of a directory. Nothing that `open` would find.
   * Default: deletions leave nothing behind.
   */
  sweep?(parentDirectory: string): Promise<void>;
}

/**
 * An open database: sorted bytes to bytes.
 *
 * Reads see every batch whose `write` has resolved. One writer: `write` is not called again before it resolved.
 * After a failed `write`, or any detected corruption, every further call throws TaskCorruptedError: close, quarantine, open.
 */
export interface StateDatabase {
  /** The value of a key, synchronously; the caller owns the returned bytes. Throws TaskCorruptedError on a damaged value. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Entries in key order (or reverse), as they were when iteration began. Ending the loop early releases the iterator.
   * The caller owns the bytes.
   */
  entries(
    range: ByteRange,
    options?: { readonly reverse?: boolean },
  ): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /**
   * Applies all operations of the batch, or none. The batch may be reused once this has resolved; `undefined`: it has been
   * applied already. Failures reject, nothing is thrown.
   */
  write(batch: WriteBatch): Promise<void> | undefined;
  /**
   * What the database holds now, whatever is written afterwards: for readers that look more than once and must see one moment.
   * Costs about as much as beginning a scan. Default: such readers see a `write` that comes between two of their looks.
   */
  snapshot?(): StateSnapshot;
  /**
   * Releases files and the lock. Waits for a running `write`, and for no scan or snapshot that is still in use: these fail with
   * `STATE_CLOSED` from then on. Idempotent.
   */
  close(): Promise<void>;
}

/** A database as it was at one moment. While it is open, what it shows takes room on the disk even if it has been deleted since. */
export interface StateSnapshot extends Pick<StateDatabase, 'get' | 'entries'> {
  /** Scans of it that are still running fail with `STATE_CLOSED`, as later calls do. Idempotent; also after the database has been closed. */
  close(): void;
}
