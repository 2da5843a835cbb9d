import { assert, ByteBuffer, latin1Slice, type RecordContext, type Serde } from '@millrace/core';
import type { BufferListener } from '../../contracts/buffers.ts';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import { KeySpace, PREFIX_BYTES, ROW_TAG } from '../../layout/key-space.ts';
import { type KeyCodec, type KeyIdentity, keyCodec } from '../../overlay/key-codec.ts';
import { type ValueCodec, valueCodec } from '../../overlay/value-codec.ts';
import { restoreRow } from '../../table/restore-row.ts';
import type { WriteBatch } from '../../write-batch.ts';
import type { BufferRow } from './buffer-row.ts';
import { BufferedRecord } from './buffered-record.ts';
import { RowHeap } from './row-heap.ts';

/** What a buffer is made with. */
export interface BufferTableOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** How many bytes of committed records stay in memory. Default: the task's budget for clean rows. */
  readonly memoryBytes?: number | undefined;
}

/** What Kafka Streams counts for a waiting row besides key and record: its time. */
const TIME_BYTES = 8;
/** Memory that a row in memory costs besides what is counted. */
const OVERHEAD_BYTES = 256;

/** Tells Java which format the value has. */
const VERSION_3 = [{ key: 'v', value: Buffer.from([3]) }];

/**
 * What all buffers have in common: rows in the order in which they leave, in memory and in the database.
 *
 * A row that is in the database and has not changed since need not keep its record in memory: when the budget is used up,
 * records are let go at each commit, and read again when they leave.
 *
 * Layout   `[store id][1][changelog key]` → the value as in the changelog, {@link BufferedRecord}.
 */
export abstract class BufferTable<K, V> implements StateStore {
  readonly name: string;
  abstract readonly kind: string;
  protected keys!: KeyCodec<K>;
  protected values!: ValueCodec<V>;
  protected context!: StoreContext;
  readonly #options: BufferTableOptions<K, V>;
  readonly #heap = new RowHeap();
  readonly #scratch = new ByteBuffer(256);
  #space!: KeySpace;
  #listener: BufferListener<K, V> | undefined;
  #dirty: BufferRow[] = [];
  #committing: BufferRow[] = [];
  #size = 0;
  #bytes = 0;
  #dirtyBytes = 0;
  /** Bytes of records in memory that could be let go. */
  #cleanBytes = 0;

  constructor(options: BufferTableOptions<K, V>) {
    this.name = options.name;
    this.#options = options;
  }

  /** Every row that is known, waiting or not. */
  protected abstract rows(): Iterable<BufferRow>;
  protected abstract addRow(row: BufferRow): void;
  /** The row waits no more, and the database has forgotten it. */
  protected abstract removeRow(row: BufferRow): void;
  protected abstract clearRows(): void;
  /** Writes the changelog key. */
  protected abstract writeKey(row: BufferRow, target: ByteBuffer): void;
  /** The row of a changelog key and value. */
  protected abstract rowAt(key: Buffer, value: Buffer): BufferRow;

  async open(context: StoreContext): Promise<void> {
    const { keySerde, valueSerde } = this.#options;
    this.context = context;
    this.#space = new KeySpace(context.storeId);
    this.keys = keyCodec(keySerde, context.changelogTopic);
    this.values = valueCodec(valueSerde, context.changelogTopic);
    await this.restored();
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get minTime(): number {
    return this.#heap.first?.time ?? Infinity;
  }

  setListener(listener: BufferListener<K, V>): void {
    this.#listener = listener;
  }

  protected keyText(identity: KeyIdentity): string {
    this.#scratch.clear();
    this.keys.write(identity, this.#scratch);
    return latin1Slice(this.#scratch.bytes, 0, this.#scratch.length);
  }

  /** Makes a record wait in a row, from now on, or instead of the one that waits there. */
  protected set(row: BufferRow, record: BufferedRecord): void {
    this.#markDirty(row);
    if (row.isWaiting) this.#count(row, -1);
    row.record = record;
    row.bytes = TIME_BYTES + row.keyText.length + record.size(this.values);
    this.#dirtyBytes += row.bytes + OVERHEAD_BYTES;
    this.#count(row, 1);
    if (row.isWaiting) return;
    row.isWaiting = true;
    this.#heap.add(row);
  }

  /** The record of a waiting row. */
  protected recordOf(row: BufferRow): BufferedRecord {
    return row.record ?? this.#load(row);
  }

  emitFirst(): void {
    const row = this.#heap.first;
    assert(row !== undefined && this.#listener !== undefined, `buffer ${this.name} has nothing to emit, or nobody to emit it to`);
    // It still waits while the listener hears of it: who looks the key up meanwhile, as a join of the table with itself does,
    // finds what was before.
    this.#tell(this.#listener, row, this.recordOf(row));
    assert(this.#heap.first === row, `buffer ${this.name} was put to while it emitted`);
    this.#heap.removeFirst();
    this.#markDirty(row);
    this.#count(row, -1);
    row.isWaiting = false;
    row.record = undefined;
  }

  #tell(listener: BufferListener<K, V>, row: BufferRow, record: BufferedRecord): void {
    const { recordContext } = this.context;
    const { topic, partition, offset, timestamp, headers } = recordContext;
    const { value, old } = record;
    recordContext.set(record.topic, record.partition, record.offset, record.timestamp, record.headers);
    const newValue = value === undefined ? undefined : this.values.value(value);
    const oldValue = old === undefined ? undefined : this.values.value(old);
    listener(this.keys.key(row.identity), newValue, oldValue, record.timestamp, record.headers);
    // Not restored when this throws: the task then gives the record up, and sets the context anew with the next one.
    recordContext.set(topic, partition, offset, timestamp, headers);
  }

  protected get recordContext(): RecordContext {
    return this.context.recordContext;
  }

  #count(row: BufferRow, sign: 1 | -1): void {
    this.#size += sign;
    this.#bytes += sign * row.bytes;
  }

  /** The record of the row is about to change, or to go. */
  #markDirty(row: BufferRow): void {
    if (row.record !== undefined) {
      if (row.isDirty) this.#dirtyBytes -= row.bytes + OVERHEAD_BYTES;
      else if (!row.isCommitting) this.#cleanBytes -= row.bytes + OVERHEAD_BYTES;
    }
    if (row.isDirty) return;
    row.isDirty = true;
    this.#dirty.push(row);
  }

  #load(row: BufferRow): BufferedRecord {
    this.#writeLocalKey(row);
    const found = this.context.database.get(this.#scratch.view());
    assert(found !== undefined, `buffer ${this.name} has lost a record that is in its database`);
    return BufferedRecord.read(this.values, asBuffer(found));
  }

  #writeLocalKey(row: BufferRow): void {
    this.#scratch.clear();
    this.#space.writePrefix(this.#scratch, ROW_TAG);
    this.writeKey(row, this.#scratch);
  }

  flushCache(): void {
    // What is held back here waits for its time, not for a commit.
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const rows = this.#dirty;
    this.#dirty = this.#committing;
    this.#committing = rows;
    this.#dirtyBytes = 0;
    for (const row of rows) {
      row.isDirty = false;
      row.isCommitting = true;
      row.isPrepared = row.isWaiting;
      row.preparedTime = row.time;
      if (row.isWaiting || row.isSaved) this.#commitRow(row, batch, changelog);
    }
  }

  #commitRow(row: BufferRow, batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const { scratch } = batch;
    const start = scratch.length;
    batch.begin();
    this.#space.writePrefix(scratch, ROW_TAG);
    this.writeKey(row, scratch);
    batch.endKey();
    const keyEnd = scratch.length;
    if (row.record === undefined) {
      batch.delete();
      changelog?.append(this.recordContext.timestamp, scratch.bytes, start + PREFIX_BYTES, keyEnd, scratch.bytes, -1, -1);
      return;
    }
    row.record.write(this.values, row.time, scratch);
    batch.put();
    const { bytes, length } = scratch;
    changelog?.append(row.record.timestamp, bytes, start + PREFIX_BYTES, keyEnd, bytes, keyEnd, length, VERSION_3);
  }

  committed(): void {
    const memoryBytes = this.#options.memoryBytes ?? this.context.cleanCacheBytes;
    for (const row of this.#committing) {
      row.isCommitting = false;
      row.isSaved = row.isPrepared;
      row.savedTime = row.preparedTime;
      if (row.isDirty) continue;
      if (!row.isSaved) this.removeRow(row);
      else if (this.#cleanBytes + row.bytes + OVERHEAD_BYTES > memoryBytes) row.record = undefined;
      else this.#cleanBytes += row.bytes + OVERHEAD_BYTES;
    }
    this.#committing.length = 0;
  }

  rollback(): void {
    for (const row of this.#dirty) this.#revert(row);
    for (const row of this.#committing) this.#revert(row);
    this.#dirty.length = 0;
    this.#committing.length = 0;
    this.#dirtyBytes = 0;
    this.#recount();
  }

  /** What the database says is read again when it is needed: user code may have changed what is in memory. */
  #revert(row: BufferRow): void {
    row.isDirty = false;
    row.isCommitting = false;
    row.isWaiting = row.isSaved;
    row.time = row.savedTime;
    row.record = undefined;
    if (!row.isSaved) this.removeRow(row);
  }

  #recount(): void {
    const waiting: BufferRow[] = [];
    this.#size = 0;
    this.#bytes = 0;
    this.#cleanBytes = 0;
    for (const row of this.rows()) {
      this.#count(row, 1);
      if (row.record !== undefined) this.#cleanBytes += row.bytes + OVERHEAD_BYTES;
      waiting.push(row);
    }
    this.#heap.reset(waiting);
  }

  get dirtyBytes(): number {
    return this.#dirtyBytes;
  }

  restore(
    batch: WriteBatch,
    _timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    batch.begin();
    this.#space.writePrefix(batch.scratch, ROW_TAG);
    restoreRow(batch, undefined, source, keyStart, keyEnd, valueStart, valueEnd);
  }

  /** Reads the order in which the rows leave; the records stay in the database. */
  async restored(): Promise<void> {
    this.clearRows();
    const range = { gte: this.#space.bound(ROW_TAG), lt: this.#space.bound(ROW_TAG + 1) };
    for await (const [keyBytes, valueBytes] of this.context.database.entries(range)) {
      const value = asBuffer(valueBytes);
      const row = this.rowAt(asBuffer(keyBytes).subarray(PREFIX_BYTES), value);
      row.isWaiting = true;
      row.isSaved = true;
      row.savedTime = row.time;
      row.bytes = TIME_BYTES + row.keyText.length + value.length;
      this.addRow(row);
    }
    this.#recount();
  }

  close(): void {
    this.clearRows();
    this.#dirty = [];
    this.#committing = [];
    this.#recount();
  }
}
