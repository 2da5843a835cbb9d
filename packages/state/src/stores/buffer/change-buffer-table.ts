import { type ByteBuffer, latin1Slice, ProcessingError } from '@millrace/core';
import type { ChangeBuffer } from '../../contracts/buffers.ts';
import type { KeyIdentity } from '../../overlay/key-codec.ts';
import { BufferRow } from './buffer-row.ts';
import { BufferTable } from './buffer-table.ts';
import { BufferedRecord, bufferTimeOf } from './buffered-record.ts';

/** The last change of each key. Changelog key: the key. */
export class ChangeBufferTable<K, V> extends BufferTable<K, V> implements ChangeBuffer<K, V> {
  readonly kind = 'changeBuffer';
  readonly #rows = new Map<KeyIdentity, BufferRow>();

  put(time: number, key: K, value: V | undefined, oldValue: V | undefined): void {
    if (key == null) {
      throw new ProcessingError('STORE_KEY_ABSENT', 'a buffer was given an absent key; check for it before', {
        store: this.name,
      });
    }
    const row = this.#rowOf(key, time);
    const held = value == null ? undefined : this.values.hold(value);
    const old = oldValue == null ? undefined : this.values.hold(oldValue);
    const prior = row.isWaiting ? this.recordOf(row).prior : old;
    this.set(row, new BufferedRecord(prior, old, held, this.recordContext));
  }

  /** A row that has been waiting before its last commit, and is not any more, waits anew. */
  #rowOf(key: K, time: number): BufferRow {
    const identity = this.keys.identity(key);
    const known = this.#rows.get(identity);
    if (known !== undefined) {
      if (!known.isWaiting) known.time = time;
      return known;
    }
    const row = new BufferRow(identity, this.keyText(identity), 0, time);
    this.#rows.set(identity, row);
    return row;
  }

  has(key: K): boolean {
    return this.#rows.get(this.keys.identity(key))?.isWaiting === true;
  }

  priorValue(key: K): V | undefined {
    const row = this.#rows.get(this.keys.identity(key));
    const prior = row?.isWaiting === true ? this.recordOf(row).prior : undefined;
    return prior === undefined ? undefined : this.values.value(prior);
  }

  protected rows(): Iterable<BufferRow> {
    return this.#rows.values();
  }

  protected addRow(row: BufferRow): void {
    this.#rows.set(row.identity, row);
  }

  protected removeRow(row: BufferRow): void {
    this.#rows.delete(row.identity);
  }

  protected clearRows(): void {
    this.#rows.clear();
  }

  protected writeKey(row: BufferRow, target: ByteBuffer): void {
    this.keys.write(row.identity, target);
  }

  protected rowAt(key: Buffer, value: Buffer): BufferRow {
    const identity = this.keys.identityAt(key, 0, key.length);
    return new BufferRow(identity, latin1Slice(key, 0, key.length), 0, bufferTimeOf(value));
  }
}
