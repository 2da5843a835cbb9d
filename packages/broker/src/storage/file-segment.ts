import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { ErrorCode } from '@millrace/wire';
import type { SegmentBytes } from '../log/segment-bytes.ts';
import { Refusal } from '../refusal.ts';

/** The end of the name of a file that compaction is writing; what a crash leaves of it is deleted. */
export const CLEANED_SUFFIX = '.cleaned';

/** What becomes of bytes that were written but are not on the disk yet. */
export interface FlushPolicy {
  /** Called after each append. */
  appended(segment: FileSegment): void;
}

/**
 * A segment in a file. What was written survives SIGKILL, because it is in the page cache; when it survives a power failure
 * is up to the policy. The file is opened when it is first needed and created by the first append.
 */
export class FileSegment implements SegmentBytes {
  readonly #path: string;
  readonly #policy: FlushPolicy;
  #descriptor: number | undefined;
  #size: number;
  /** What was there when it was opened has survived whatever there was. */
  #flushedBytes: number;
  #isBroken = false;

  /** @param size bytes that the file has; 0 when it does not exist yet */
  constructor(path: string, size: number, policy: FlushPolicy) {
    this.#path = path;
    this.#size = size;
    this.#flushedBytes = size;
    this.#policy = policy;
  }

  get path(): string {
    return this.#path;
  }

  get sizeInBytes(): number {
    return this.#size;
  }

  append(batches: Buffer): void {
    if (this.#isBroken) throw storageError(`${this.#path} could not be repaired after an earlier failure`);
    try {
      writeFully(this.#open(), batches, this.#size);
    } catch (error) {
      this.#undo();
      throw storageError(`${this.#path}: ${String(error)}`);
    }
    this.#size += batches.length;
    this.#policy.appended(this);
  }

  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#open(), bytes, done, length - done, position + done);
      if (count === 0) throw storageError(`${this.#path} ends at byte ${position + done} and not at ${this.#size}`);
      done += count;
    }
    return bytes;
  }

  replace(content: Buffer): void {
    const temporary = `${this.#path}${CLEANED_SUFFIX}`;
    const descriptor = openSync(temporary, 'w+');
    writeFully(descriptor, content, 0);
    fsyncSync(descriptor);
    renameSync(temporary, this.#path);
    this.close();
    this.#descriptor = descriptor;
    this.#size = content.length;
    this.#flushedBytes = content.length;
  }

  truncate(length: number): void {
    ftruncateSync(this.#open(), length);
    this.#size = length;
    this.#flushedBytes = Math.min(this.#flushedBytes, length);
  }

  flush(): void {
    if (this.#descriptor === undefined) return;
    fsyncSync(this.#descriptor);
    this.#flushedBytes = this.#size;
  }

  /** Cuts off what a power failure could take. The segment is closed. */
  loseUnflushed(): void {
    if (existsSync(this.#path)) truncateSync(this.#path, this.#flushedBytes);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  delete(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #open(): number {
    this.#descriptor ??= openSync(this.#path, this.#size === 0 ? 'w+' : 'r+');
    return this.#descriptor;
  }

  /** Cuts off what a failed append has left, so that the next one does not stand behind rubbish. */
  #undo(): void {
    try {
      this.truncate(this.#size);
    } catch {
      this.#isBroken = true;
    }
  }
}

function writeFully(descriptor: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

function storageError(message: string): Refusal {
  return new Refusal(ErrorCode.KAFKA_STORAGE_ERROR, message);
}
