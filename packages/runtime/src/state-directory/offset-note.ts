import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'changelog-offsets';
/** Kafka Streams writes its checkpoint file as rarely: `OFFSET_DELTA_THRESHOLD_FOR_CHECKPOINT`. */
const OFFSETS_BETWEEN_NOTES = 10_000;

/**
 * A file beside a task's database that says up to where its changelogs are in it: the leader of the group wants to know that of
 * tasks which nobody has open. Only a hint, mostly a little behind; restoring goes by what the database itself says.
 */
export class OffsetNote {
  readonly #path: string;
  #noted = -OFFSETS_BETWEEN_NOTES;
  #latest = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  /** The database has come to this sum of offsets. */
  moved(sum: number): void {
    this.#latest = sum;
    if (Math.abs(sum - this.#noted) >= OFFSETS_BETWEEN_NOTES) this.#write(sum);
  }

  /**
   * Notes how far it is, even if nothing has changed: the file also says when the state was last in use. Resolves when nothing is
   * being written any more. Never rejects.
   */
  async settled(): Promise<void> {
    if (this.#latest > 0) this.#write(this.#latest);
    await this.#writing;
  }

  #write(sum: number): void {
    this.#noted = sum;
    this.#writing = this.#writing.then(() => this.#replace(sum));
  }

  /** A hint that cannot be written is no reason to fail: the disk is full, or the directory is gone. */
  async #replace(sum: number): Promise<void> {
    const next = `${this.#path}.new`;
    try {
      await writeFile(next, String(sum));
      await rename(next, this.#path);
    } catch {
      this.#noted = -OFFSETS_BETWEEN_NOTES;
    }
  }
}

/** What the note in the directory of a task says; 0 when there is none that can be understood. */
export function readOffsetNote(directory: string): number {
  try {
    const text = readFileSync(join(directory, FILE), 'utf8');
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}
