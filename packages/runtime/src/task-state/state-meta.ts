import { CorruptDataError, readInt64 } from '@millrace/core';
import type { StateDatabase, WriteBatch } from '@millrace/state';

/** Store id of the rows that belong to the task itself. Stores have ids from 1. */
const META_STORE_ID = 0;
const STORE_ID_MAX = 0xffff;

/** Kinds of meta rows, and what their values are. */
const STORE_ID = 'store-id:';
const CHANGELOG_OFFSET = 'changelog-offset:';
const INPUT_OFFSET = 'input-offset:';

/**
 * What a task keeps in its database besides rows: the id of each store, and up to which offset of each changelog and input
 * the rows count. Written in the same batch as the rows, so that they can never disagree.
 *
 * Layout: `[0, 0][kind and name in UTF-8]` → one signed 64-bit number, big-endian.
 */
export class StateMeta {
  readonly #storeIds = new Map<string, number>();
  readonly #changelogOffsets = new Map<string, number>();
  readonly #inputOffsets = new Map<string, number>();
  readonly #isPersistent: boolean;

  constructor(isPersistent: boolean) {
    this.#isPersistent = isPersistent;
  }

  /**
   * Reads all of it.
   *
   * @param isPersistent false when the rows do not outlive the process: then offsets are written only by {@link saveOffsets},
   * because before that nobody can come to read them
   * @throws CorruptDataError when a row is not what {@link StateMeta} writes
   */
  static async load(database: StateDatabase, isPersistent: boolean): Promise<StateMeta> {
    const meta = new StateMeta(isPersistent);
    const range = { gte: Buffer.from([0, META_STORE_ID]), lt: Buffer.from([0, META_STORE_ID + 1]) };
    for await (const [key, value] of database.entries(range))
      meta.#read(Buffer.from(key).toString('utf8', 2), Buffer.from(value));
    return meta;
  }

  #read(name: string, value: Buffer): void {
    for (const [prefix, into] of this.#kinds()) {
      if (!name.startsWith(prefix)) continue;
      if (value.length !== 8)
        throw new CorruptDataError(
          'CORRUPT_STATE_META',
          `the state row ${JSON.stringify(name)} has ${value.length} bytes instead of 8`,
        );
      into.set(name.slice(prefix.length), readInt64(value, 0));
    }
  }

  #kinds(): readonly (readonly [prefix: string, into: Map<string, number>])[] {
    return [
      [STORE_ID, this.#storeIds],
      [CHANGELOG_OFFSET, this.#changelogOffsets],
      [INPUT_OFFSET, this.#inputOffsets],
    ];
  }

  /** The id of a store: the one it has had since it was first opened here, or a new one, which is added to the batch. */
  storeId(store: string, batch: WriteBatch): number {
    const known = this.#storeIds.get(store);
    if (known !== undefined) return known;
    const id = Math.max(META_STORE_ID, ...this.#storeIds.values()) + 1;
    if (id > STORE_ID_MAX) throw new CorruptDataError('CORRUPT_STATE_META', `the database has no free store id for ${store}`);
    this.#storeIds.set(store, id);
    putNumber(batch, STORE_ID + store, id);
    return id;
  }

  /** The next changelog offset of a store to restore; `undefined` when it has none yet. */
  changelogOffset(store: string): number | undefined {
    return this.#changelogOffsets.get(store);
  }

  setChangelogOffset(store: string, offset: number, batch: WriteBatch): void {
    if (this.#changelogOffsets.get(store) === offset) return;
    this.#changelogOffsets.set(store, offset);
    if (this.#isPersistent) putNumber(batch, CHANGELOG_OFFSET + store, offset);
  }

  /** Adds all offsets to the batch, for whoever goes on with a database that is not persistent. */
  saveOffsets(batch: WriteBatch): void {
    if (this.#isPersistent) return;
    for (const [store, offset] of this.#changelogOffsets) putNumber(batch, CHANGELOG_OFFSET + store, offset);
    for (const [input, offset] of this.#inputOffsets) putNumber(batch, INPUT_OFFSET + input, offset);
  }

  /** The next offset to process of an input, by `topic-partition`, as of the last local commit. */
  inputOffset(input: string): number | undefined {
    return this.#inputOffsets.get(input);
  }

  setInputOffset(input: string, offset: number, batch: WriteBatch): void {
    if (this.#inputOffsets.get(input) === offset) return;
    this.#inputOffsets.set(input, offset);
    if (this.#isPersistent) putNumber(batch, INPUT_OFFSET + input, offset);
  }
}

function putNumber(batch: WriteBatch, name: string, value: number): void {
  batch.begin();
  batch.scratch.writeUint8(0);
  batch.scratch.writeUint8(META_STORE_ID);
  batch.scratch.writeUtf8(name);
  batch.endKey();
  batch.scratch.writeInt64(value);
  batch.put();
}
