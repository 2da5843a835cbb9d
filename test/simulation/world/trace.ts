import { createHash } from 'node:crypto';

/** Everything that happened, in order, as one number: two runs with the same trace did the same. */
export class Trace {
  readonly #hash = createHash('sha256');
  #events = 0;
  #second = 0;
  #inSecond = 0;
  #busiestSecond = 0;

  /** How many events there were. */
  get events(): number {
    return this.#events;
  }

  /** How many events there were in the second of virtual time that had most of them. */
  get busiestSecond(): number {
    return this.#busiestSecond;
  }

  note(atMs: number, what: string, bytes?: Uint8Array): void {
    this.#events++;
    const second = Math.floor(atMs / 1000);
    this.#inSecond = second === this.#second ? this.#inSecond + 1 : 1;
    this.#second = second;
    this.#busiestSecond = Math.max(this.#busiestSecond, this.#inSecond);
    this.#hash.update(`${atMs} ${what}\n`);
    if (bytes !== undefined) this.#hash.update(bytes);
  }

  /** Of everything so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}
