import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { Logger } from '@millrace/core';
import type { BatchSpill } from '@millrace/client';

/**
 * The file to which outputs go that memory has no room for. It has no name while it is open, so that nothing of it is left when
 * the process dies; and it is there only once it is needed.
 *
 * Not flushed to the disk: what it holds is worth nothing without the process.
 */
export class SpillFile implements BatchSpill {
  readonly #path: string;
  readonly #logger: Logger;
  #file: number | undefined;
  #length = 0;
  #scratch = Buffer.alloc(0);

  /** @param path where the file is made; one that a crash has left there is overwritten */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  write(bytes: Uint8Array): number {
    this.#file ??= this.#open();
    const position = this.#length;
    // A full disk takes a part first: the next write begins where this one did.
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done, bytes.length - done, position + done);
    this.#length = position + bytes.length;
    return position;
  }

  read(position: number, length: number): Buffer {
    if (this.#file === undefined || position + length > this.#length) throw new Error(`nothing stands at ${position}`);
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#file, this.#scratch, done, length - done, position + done);
      if (count === 0) throw new Error(`the file ends at ${position + done}, before ${this.#length}`);
      done += count;
    }
    return this.#scratch.subarray(0, length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#file === undefined) return;
    try {
      ftruncateSync(this.#file, 0);
    } catch (error) {
      this.#logger.warn('the space of outputs that were put aside is not given back', { path: this.#path, error });
    }
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    this.#length = 0;
    if (file === undefined) return;
    try {
      closeSync(file);
    } catch (error) {
      this.#logger.warn('the file of outputs that were put aside could not be closed', { path: this.#path, error });
    }
  }

  #open(): number {
    const file = openSync(this.#path, 'w+', 0o600);
    this.#logger.info('more outputs wait than memory is to hold; the rest goes to a file until it is sent', { path: this.#path });
    try {
      unlinkSync(this.#path);
    } catch (error) {
      // The next start overwrites it.
      this.#logger.debug('the file of outputs that were put aside keeps its name', { path: this.#path, error });
    }
    return file;
  }
}
