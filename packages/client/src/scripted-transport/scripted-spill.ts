import type { BatchSpill } from '../port/batch-spill.ts';

/** A place for batches that tells what is there, and fails when it is told to. */
export class ScriptedSpill implements BatchSpill {
  /** What the next calls of each kind throw. */
  readonly failing: { write?: Error; read?: Error } = {};
  /** Bytes that were ever written. */
  writtenBytes = 0;
  isClosed = false;
  #bytes = Buffer.alloc(0);

  /** Bytes that are there. */
  get size(): number {
    return this.#bytes.length;
  }

  write(bytes: Uint8Array): number {
    if (this.failing.write !== undefined) throw this.failing.write;
    const position = this.#bytes.length;
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.writtenBytes += bytes.length;
    return position;
  }

  read(position: number, length: number): Buffer {
    if (this.failing.read !== undefined) throw this.failing.read;
    return this.#bytes.subarray(position, position + length);
  }

  /** Changes the last byte of what is there, as a disk can. */
  damage(): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(0, -1), Buffer.of((this.#bytes.at(-1) as number) ^ 1)]);
  }

  clear(): void {
    this.#bytes = Buffer.alloc(0);
  }

  close(): void {
    this.clear();
    this.isClosed = true;
  }
}
