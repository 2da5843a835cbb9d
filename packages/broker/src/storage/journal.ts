import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from 'node:fs';
import { crc32c } from '@millrace/wire';

const HEADER_BYTES = 8;
const ENTRY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * A file of JSON entries, each with its length and checksum in front. Appended to; what an interrupted write has left at the
 * end is cut off when it is opened.
 */
export class Journal {
  readonly #path: string;
  #descriptor: number;
  #size: number;
  /** What was there when it was opened has survived whatever there was. */
  #flushedBytes: number;

  private constructor(path: string, descriptor: number, size: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#size = size;
    this.#flushedBytes = size;
  }

  /** @param visit called for each entry that is there, in order */
  static open(path: string, visit: (entry: unknown) => void): Journal {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const end = visitEntries(bytes, visit);
    if (end < bytes.length) truncateSync(path, end);
    return new Journal(path, openSync(path, 'a'), end);
  }

  get sizeInBytes(): number {
    return this.#size;
  }

  append(entry: unknown): void {
    const frame = frameOf(entry);
    writeSync(this.#descriptor, frame);
    this.#size += frame.length;
  }

  /** Puts other entries in the place of all, at once or not at all. */
  rewrite(entries: readonly unknown[]): void {
    const temporary = `${this.#path}.new`;
    const content = Buffer.concat(entries.map(frameOf));
    const descriptor = openSync(temporary, 'w');
    writeSync(descriptor, content);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#path, 'a');
    this.#size = content.length;
    this.#flushedBytes = content.length;
  }

  flush(): void {
    fsyncSync(this.#descriptor);
    this.#flushedBytes = this.#size;
  }

  /** Cuts off what a power failure could take. */
  loseUnflushed(): void {
    truncateSync(this.#path, this.#flushedBytes);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function frameOf(entry: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(entry));
  const frame = Buffer.alloc(HEADER_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt32BE(crc32c(body), 4);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** @returns where the first entry that is not whole begins */
function visitEntries(bytes: Buffer, visit: (entry: unknown) => void): number {
  let position = 0;
  while (bytes.length - position >= HEADER_BYTES) {
    const length = bytes.readUInt32BE(position);
    const end = position + HEADER_BYTES + length;
    if (length > ENTRY_BYTES_MAX || end > bytes.length) return position;
    const body = bytes.subarray(position + HEADER_BYTES, end);
    if (crc32c(body) !== bytes.readUInt32BE(position + 4)) return position;
    visit(JSON.parse(body.toString()));
    position = end;
  }
  return position;
}
