import { createHash } from 'node:crypto';

/** Everything that happened, in order, as one number: two runs with the same trace did the same. */
export class Trace {
  readonly #hash = createHash('sha256');
  #events = 0;

  /** How many events there were. */
  get events(): number {
    return this.#events;
  }

  note(atMs: number, what: string, bytes?: Uint8Array): void {
    this.#events++;
    this.#hash.update(`${atMs} ${what}\n`);
    if (bytes !== undefined) this.#hash.update(bytes);
  }

  /** Of everything so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}
