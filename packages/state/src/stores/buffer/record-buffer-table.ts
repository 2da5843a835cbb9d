import { type ByteBuffer, CorruptDataError, latin1Slice, readInt64 } from '@millrace/core';
import type { RecordBuffer } from '../../contracts/buffers.ts';
import { BufferRow } from './buffer-row.ts';
import { BufferTable, type BufferTableOptions } from './buffer-table.ts';
import { BufferedRecord } from './buffered-record.ts';

/** Before the key: a zero, and the timestamp. */
const KEY_AT = 9;
/** Behind the key: the sequence number. */
const SEQUENCE_BYTES = 4;
const SEQUENCE_MAX = 0x7fff_ffff;

/**
 * Records in the order of their timestamps. Changelog key: `[0][timestamp, int64][key][sequence number, int32]`.
 *
 * Unlike Kafka Streams, the sequence goes on after a restart, so that no record replaces another that waits.
 */
export class RecordBufferTable<K, V> extends BufferTable<K, V> implements RecordBuffer<K, V> {
  readonly kind = 'recordBuffer';
  readonly graceMs: number;
  readonly #rows = new Set<BufferRow>();
  #sequence = 0;
  #observed = -1;

  constructor(options: BufferTableOptions<K, V> & { readonly graceMs: number }) {
    super(options);
    this.graceMs = options.graceMs;
  }

  put(key: K, value: V, timestamp: number): boolean {
    if (timestamp < this.#observed - this.graceMs) return false;
    if (timestamp > this.#observed) this.#observed = timestamp;
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX;
    const identity = this.keys.identity(key);
    const row = new BufferRow(identity, this.keyText(identity), this.#sequence, timestamp);
    this.#rows.add(row);
    this.set(row, new BufferedRecord(undefined, undefined, this.values.hold(value), this.recordContext));
    return true;
  }

  emitExpired(): void {
    const limit = this.#observed - this.graceMs;
    while (this.minTime <= limit) this.emitFirst();
  }

  /** What has been seen since the last commit will be seen again: nothing of it may be too late then. */
  override rollback(): void {
    super.rollback();
    this.#observed = -1;
    for (const row of this.#rows) this.#observed = Math.max(this.#observed, row.time);
  }

  protected rows(): Iterable<BufferRow> {
    return this.#rows;
  }

  protected addRow(row: BufferRow): void {
    this.#rows.add(row);
    this.#observed = Math.max(this.#observed, row.time);
    this.#sequence = Math.max(this.#sequence, row.sequence);
  }

  protected removeRow(row: BufferRow): void {
    this.#rows.delete(row);
  }

  protected clearRows(): void {
    this.#rows.clear();
    this.#observed = -1;
    this.#sequence = 0;
  }

  protected writeKey(row: BufferRow, target: ByteBuffer): void {
    target.writeUint8(0);
    target.writeInt64(row.time);
    this.keys.write(row.identity, target);
    target.writeInt32(row.sequence);
  }

  protected rowAt(key: Buffer): BufferRow {
    const keyEnd = key.length - SEQUENCE_BYTES;
    if (keyEnd < KEY_AT) {
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for a buffer of records', {
        store: this.name,
      });
    }
    const identity = this.keys.identityAt(key, KEY_AT, keyEnd);
    return new BufferRow(identity, latin1Slice(key, KEY_AT, keyEnd), key.readInt32BE(keyEnd), readInt64(key, 1));
  }
}
