import { ByteBuffer } from '@millrace/core';
import type { ChangelogWriter } from '../../contracts/state-store.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import type { HeldValue, ValueCodec } from '../../overlay/value-codec.ts';

interface LoggedPut {
  readonly identity: KeyIdentity;
  readonly held: HeldValue | undefined;
  readonly timestamp: number;
}

/** Memory that a put costs besides its value. */
const PUT_BYTES = 56;

/** The puts since the last commit, in order: no version replaces another, so the changelog gets them all. */
export class PutLog {
  readonly #scratch = new ByteBuffer(256);
  #puts: LoggedPut[] = [];
  #bytes = 0;

  /** Roughly the memory of the puts. */
  get bytes(): number {
    return this.#bytes;
  }

  add(identity: KeyIdentity, held: HeldValue | undefined, timestamp: number, valueBytes: number): void {
    this.#puts.push({ identity, held, timestamp });
    this.#bytes += PUT_BYTES + valueBytes;
  }

  /** Writes the puts to the changelog, if there is one, and forgets them. */
  writeTo<V>(changelog: ChangelogWriter | undefined, keys: KeyCodec<unknown>, values: ValueCodec<V>): void {
    if (changelog !== undefined) {
      for (const { identity, held, timestamp } of this.#puts) {
        const scratch = this.#scratch;
        scratch.clear();
        keys.write(identity, scratch);
        const keyEnd = scratch.length;
        if (held !== undefined) values.write(held, scratch);
        const { bytes, length } = scratch;
        const [valueStart, valueEnd] = held === undefined ? [-1, -1] : [keyEnd, length];
        changelog.append(timestamp, bytes, 0, keyEnd, bytes, valueStart, valueEnd);
      }
    }
    this.clear();
  }

  clear(): void {
    this.#puts = [];
    this.#bytes = 0;
  }
}
