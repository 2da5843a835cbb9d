import { assert, ByteBuffer, ProcessingError, readInt64, TaskCorruptedError } from '@millrace/core';
import type { StateDatabase } from '../contracts/engine.ts';
import type { ChangelogWriter, FlushListener, StoreContext } from '../contracts/state-store.ts';
import type { Row, RowAccess, ValueAndTimestamp } from '../contracts/stores.ts';
import { asBuffer } from '../layout/byte-views.ts';
import type { ScanSource } from '../layout/merged-scan.ts';
import { type Bucket, ENTRY_BYTES, HELD } from '../overlay/entry.ts';
import { type HeldUpdate, HeldUpdates, reportedValue } from '../overlay/held-updates.ts';
import type { KeyIdentity } from '../overlay/key-codec.ts';
import { Overlay } from '../overlay/overlay.ts';
import type { ValueCodec } from '../overlay/value-codec.ts';
import type { WriteBatch } from '../write-batch.ts';
import { RowEntry } from './row-entry.ts';

/** What distinguishes the tables: where a row stands in the database, and what its key is called outside. */
export interface RowLayout<K> {
  /** Writes the local key of a row. Its bytes from `changelogKeyStart` on are the changelog key. */
  writeKey(entry: RowEntry, target: ByteBuffer): void;
  readonly changelogKeyStart: number;
  /** The key as the flush listener gets it. */
  userKey(entry: RowEntry): K;
  /** Roughly the bytes of the key in memory. */
  keySize(entry: RowEntry): number;
  /** False when the row has expired since it was written: it goes to the changelog only. */
  isStored(entry: RowEntry): boolean;
  /** True when the changelog must get the row even if it has come and gone since the last commit. */
  isNews(entry: RowEntry): boolean;
}

export interface RowTableOptions<K, V> {
  readonly name: string;
  readonly layout: RowLayout<K>;
  readonly values: ValueCodec<V>;
  /** Whether the database keeps `[timestamp, int64][value]`; the changelog has the bare value either way. */
  readonly timestamped: boolean;
  readonly cached: boolean;
  readonly context: StoreContext;
}

const TIMESTAMP_BYTES = 8;

/**
 * Rows of one value each, behind an overlay: what key-value and window stores are made of.
 *
 * Cost     `find` of a row in memory: one map look-up; `read`, `write`: no look-up, no object (bytes for mutable values).
 */
export class RowTable<K, V> implements RowAccess<K, V>, ScanSource<RowEntry, ValueAndTimestamp<V>> {
  readonly cached: boolean;
  readonly overlay: Overlay<RowEntry>;
  readonly held = new HeldUpdates<RowEntry>();
  readonly #name: string;
  readonly #layout: RowLayout<K>;
  readonly #values: ValueCodec<V>;
  readonly #headerBytes: number;
  readonly #context: StoreContext;
  readonly #database: StateDatabase;
  readonly #scratch = new ByteBuffer(256);
  #listener: FlushListener<K, V> | undefined;
  #sendOldValues = false;
  #rowsCommitted = 0;
  #rows = 0;

  constructor(options: RowTableOptions<K, V>) {
    this.#name = options.name;
    this.#layout = options.layout;
    this.#values = options.values;
    this.#headerBytes = options.timestamped ? TIMESTAMP_BYTES : 0;
    this.#context = options.context;
    this.#database = options.context.database;
    this.cached = options.cached && options.context.cachingAllowed;
    this.overlay = new Overlay(options.context.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  /** Rows in the database after the last commit, as far as counted. */
  get rows(): number {
    return this.#rows;
  }

  set rows(count: number) {
    this.#rows = Math.max(0, count);
    this.#rowsCommitted = this.#rows;
  }

  setFlushListener(listener: FlushListener<K, V>, sendOldValues: boolean): void {
    this.#listener = listener;
    this.#sendOldValues = sendOldValues;
  }

  find(bucket: Bucket<RowEntry>, identity: KeyIdentity): RowEntry {
    return this.overlay.find(bucket, identity);
  }

  read(row: Row): V | undefined {
    const { held } = row as RowEntry;
    return held === undefined ? undefined : this.#values.value(held);
  }

  readReported(row: Row): V | undefined {
    const held = reportedValue(row as RowEntry);
    return held === undefined ? undefined : this.#values.value(held);
  }

  markSeen(row: Row): void {
    const { update } = row as RowEntry;
    if (update !== undefined) update.isSeen = true;
  }

  write(row: Row, value: V | undefined, timestamp: number): void {
    const entry = row as RowEntry;
    const held = value == null ? undefined : this.#values.hold(value);
    if (this.cached) {
      this.held.hold(entry, entry.held, timestamp, this.#context.recordContext);
      this.overlay.pin(entry, HELD);
    } else {
      this.overlay.markDirty(entry);
    }
    entry.held = held;
    entry.timestamp = held === undefined ? -1 : timestamp;
    entry.writtenAt = timestamp;
    this.overlay.resize(entry, this.#sizeOf(entry));
  }

  flushCache(): void {
    this.held.flush(this.#context.recordContext, this.#flushRow);
  }

  // Made once: the test driver flushes after each record.
  readonly #flushRow = (entry: RowEntry, update: HeldUpdate): void => {
    // Made and deleted since the last flush: nobody has heard of the row, and nobody has to, unless it was looked up.
    const vanished = entry.held === undefined && update.before === undefined;
    if (!vanished || this.#layout.isNews(entry)) this.overlay.markDirty(entry);
    this.overlay.unpin(entry, HELD);
    if ((vanished && !update.isSeen) || this.#listener === undefined) return;
    const oldValue = this.#sendOldValues && update.before !== undefined ? this.#values.value(update.before) : undefined;
    this.#listener(this.#layout.userKey(entry), this.read(entry), oldValue, update.writtenAt);
  };

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    assert(this.held.isEmpty, `store ${this.#name} is committed while it holds back updates; flush it first`);
    for (const entry of this.overlay.startCommit()) this.#commitRow(entry, batch, changelog);
  }

  #commitRow(entry: RowEntry, batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    const present = entry.held !== undefined;
    // Neither the database nor the changelog has ever seen the row.
    if (!present && !entry.persisted && !this.#layout.isNews(entry)) return;
    const { scratch } = batch;
    const stored = this.#layout.isStored(entry);
    const keyStart = scratch.length;
    if (stored) batch.begin();
    this.#layout.writeKey(entry, scratch);
    if (stored) batch.endKey();
    const keyEnd = scratch.length;
    if (present) this.#writeValue(entry, scratch);
    if (stored && present) batch.put();
    else if (stored) batch.delete();
    const valueStart = present ? keyEnd + this.#headerBytes : -1;
    const valueEnd = present ? scratch.length : -1;
    const { bytes } = scratch;
    changelog?.append(entry.writtenAt, bytes, keyStart + this.#layout.changelogKeyStart, keyEnd, bytes, valueStart, valueEnd);
    if (present !== entry.persisted) this.#rows += present ? 1 : -1;
    entry.persisted = present;
  }

  #writeValue(entry: RowEntry, scratch: ByteBuffer): void {
    if (this.#headerBytes > 0) scratch.writeInt64(entry.timestamp);
    try {
      this.#values.write(entry.held, scratch);
    } catch (cause) {
      const message = 'a value cannot be serialised; give the store the serde of the values that it gets';
      throw new ProcessingError('STATE_SERIALIZE_FAILED', message, { store: this.#name, cause });
    }
  }

  committed(): void {
    this.overlay.endCommit();
    this.#rowsCommitted = this.#rows;
  }

  rollback(): void {
    this.overlay.clear();
    this.held.clear();
    this.#rows = this.#rowsCommitted;
  }

  get dirtyBytes(): number {
    return this.overlay.pinnedBytes;
  }

  /** Visits every row that differs from the database, once. */
  forEachUncommitted(visit: (entry: RowEntry) => void): void {
    this.overlay.forEachUncommitted(visit);
    this.held.forEach((entry) => {
      if (entry.pins === HELD) visit(entry);
    });
  }

  writeKey(entry: RowEntry, target: ByteBuffer): void {
    this.#layout.writeKey(entry, target);
  }

  freeze(entry: RowEntry): (() => ValueAndTimestamp<V>) | undefined {
    const { held, timestamp } = entry;
    return held === undefined ? undefined : () => ({ value: this.#values.value(held), timestamp });
  }

  decode(bytes: Buffer): ValueAndTimestamp<V> {
    return { value: this.#values.value(this.#hold(bytes)), timestamp: this.#timestampOf(bytes) };
  }

  #timestampOf(bytes: Buffer): number {
    return this.#headerBytes > 0 ? readInt64(bytes, 0) : 0;
  }

  #load(bucket: Bucket<RowEntry>, identity: KeyIdentity): RowEntry {
    const entry = new RowEntry(bucket, identity);
    const found = bucket.isComplete ? undefined : this.#get(entry);
    if (found !== undefined) {
      const bytes = asBuffer(found);
      entry.held = this.#hold(bytes);
      entry.timestamp = this.#timestampOf(bytes);
      entry.persisted = true;
    }
    entry.bytes = this.#sizeOf(entry);
    return entry;
  }

  #get(entry: RowEntry): Uint8Array | undefined {
    this.#scratch.clear();
    this.#layout.writeKey(entry, this.#scratch);
    return this.#database.get(this.#scratch.view());
  }

  #hold(bytes: Buffer): unknown {
    if (bytes.length < this.#headerBytes) {
      const message = 'a stored row is shorter than its timestamp; the state must be restored from the changelog';
      throw new TaskCorruptedError('STATE_CORRUPT', message, { store: this.#name });
    }
    try {
      return this.#values.holdAt(bytes, this.#headerBytes, bytes.length);
    } catch (cause) {
      const message =
        'a stored value cannot be deserialised; has the serde of the store changed? Reset the application or keep the old serde';
      throw new ProcessingError('STATE_DESERIALIZE_FAILED', message, { store: this.#name, cause });
    }
  }

  #sizeOf(entry: RowEntry): number {
    return ENTRY_BYTES + this.#layout.keySize(entry) + (entry.held === undefined ? 0 : this.#values.size(entry.held));
  }
}
