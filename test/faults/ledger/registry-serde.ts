import { readFileSync } from 'node:fs';
import { json, RetriableError, type Serde } from '@millrace/core';
import type { LedgerEntry } from '../../oracle/ledger/ledger.ts';

/**
 * JSON that names its schema. What a serde with a registry does: a schema that it knows is read without asking, others are looked
 * up; a registry that does not answer says nothing about the record, one that does not know the id does.
 */
export class RegistrySerde implements Serde<LedgerEntry> {
  readonly name = 'registry-json';
  readonly #json = json<LedgerEntry>();
  readonly #path: string;
  readonly #known = new Set<number>();

  /** @param path of a file with the ids of the registry, as a JSON array; while it is not there the registry is away */
  constructor(path: string) {
    this.#path = path;
  }

  serialize(value: LedgerEntry, topic: string): Uint8Array {
    return this.#json.serialize(value, topic);
  }

  deserialize(bytes: Uint8Array, topic: string): LedgerEntry {
    const entry = this.#json.deserialize(bytes, topic);
    const { schema } = entry;
    if (schema !== undefined && !this.#known.has(schema)) this.#lookUp(schema);
    return entry;
  }

  #lookUp(schema: number): void {
    let ids: readonly number[];
    try {
      ids = JSON.parse(readFileSync(this.#path, 'utf8')) as number[];
    } catch (cause) {
      throw new RetriableError('REGISTRY_AWAY', `the schema registry does not answer: ${String(cause)}`, { cause });
    }
    for (const id of ids) this.#known.add(id);
    if (!this.#known.has(schema)) throw new Error(`the schema registry knows no schema ${schema}`);
  }
}
