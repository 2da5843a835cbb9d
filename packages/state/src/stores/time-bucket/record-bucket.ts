import { ByteBuffer, readInt64, type Serde, TaskCorruptedError, writeWith } from '@millrace/core';
import type { ChangelogWriter } from '../../contracts/state-store.ts';
import type { JoinMatches } from './join-matches.ts';
import { hashOf, type KeyProbe } from './key-probe.ts';

/** Bytes before the key of a record: lengths of key and value. */
const LENGTHS_BYTES = 8;
/** Bytes between key and value: timestamp and sequence number. With the key they are the key of the changelog record. */
const SUFFIX_BYTES = 12;
const INITIAL_BYTES = 4 * 1024;
const INITIAL_RECORDS = 32;
/** Numbers per slot of the index: hash of the key, and its last record + 1 (0: the slot is free). */
const SLOT = 2;

/** How much of a bucket has got somewhere. */
class Mark {
  count = 0;
  bytes = 0;

  set(count: number, bytes: number): void {
    this.count = count;
    this.bytes = bytes;
  }
}

/**
 * The records of one time bucket, all of them in memory: their bytes one behind the other, and an index by key.
 *
 * Why no objects: a record lives as long as the join window, which is longer than V8's young generation; rows, lists and
 * parsed values would be copied twice and then collected the dear way. Here a record costs its bytes and 8 to 24 more.
 *
 * Record: `[key length, int32][value length, int32][key][timestamp, int64][sequence, int32][value]`.
 *
 * The records of a key are linked from the latest back; only the latest stands in the index, a hash table with linear probing.
 */
export class RecordBucket {
  id: number;
  count = 0;
  /** What is in the changelog and in rows of the database, the commit that is being prepared included. */
  readonly prepared = new Mark();
  readonly committed = new Mark();
  /** How many rows the records fill up to `prepared`, and up to `committed`. */
  rows = 0;
  committedRows = 0;
  readonly #records = new ByteBuffer(INITIAL_BYTES);
  /** By record: where it starts, and the record of the same key before it, or −1. */
  #starts = new Int32Array(INITIAL_RECORDS);
  #previous = new Int32Array(INITIAL_RECORDS);
  #slots = new Int32Array(INITIAL_RECORDS * 2 * SLOT);
  #keys = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Bytes of the records. */
  get bytes(): number {
    return this.#records.length;
  }

  /** The memory that the bucket holds, used or not. */
  get capacity(): number {
    return this.#records.bytes.length + 4 * (2 * this.#starts.length + this.#slots.length);
  }

  /** Begins anew, as another bucket. */
  reuse(id: number): void {
    this.id = id;
    this.prepared.set(0, 0);
    this.committed.set(0, 0);
    this.rows = 0;
    this.committedRows = 0;
    this.truncate(0, 0);
  }

  /** Adds a record of the key; the value is serialised in place. When that throws, nothing has been added. */
  append<V>(key: KeyProbe, timestamp: number, sequence: number, serde: Serde<V>, value: V, topic: string): void {
    const records = this.#records;
    const start = records.length;
    this.#writeHead(key, timestamp, sequence);
    const valueStart = records.length;
    try {
      writeWith(serde, value, records, topic);
    } catch (error) {
      records.length = start;
      throw error;
    }
    records.bytes.writeInt32BE(records.length - valueStart, start + 4);
    this.#index(start, key.hash);
  }

  /** Adds a record whose value is a range of bytes. */
  appendBytes(key: KeyProbe, timestamp: number, sequence: number, source: Buffer, valueStart: number, valueEnd: number): void {
    const records = this.#records;
    const start = records.length;
    this.#writeHead(key, timestamp, sequence);
    records.writeRange(source, valueStart, valueEnd);
    records.bytes.writeInt32BE(valueEnd - valueStart, start + 4);
    this.#index(start, key.hash);
  }

  #writeHead(key: KeyProbe, timestamp: number, sequence: number): void {
    const records = this.#records;
    records.writeInt32(key.length);
    records.writeInt32(0);
    records.writeRange(key.bytes, 0, key.length);
    records.writeInt64(timestamp);
    records.writeInt32(sequence);
  }

  /** Takes over the records of a row. @throws TaskCorruptedError when they do not fill it exactly */
  load(row: Buffer): void {
    const base = this.#records.length;
    this.#records.writeBytes(row);
    const end = this.#records.length;
    let start = base;
    while (start < end) {
      const next = end - start < LENGTHS_BYTES + SUFFIX_BYTES ? -1 : this.#endOf(start);
      if (next <= start || next > end) throw new TaskCorruptedError('STATE_CORRUPT', 'a stored join buffer is cut off');
      this.#index(start, this.#hashAt(start));
      start = next;
    }
    this.rows++;
    this.committedRows = this.rows;
    this.prepared.set(this.count, end);
    this.committed.set(this.count, end);
  }

  /** Forgets the records from this one on. */
  truncate(count: number, bytes: number): void {
    this.count = 0;
    this.#keys = 0;
    this.#slots.fill(0);
    this.#records.length = bytes;
    for (let record = 0; record < count; record++) {
      const start = this.#starts[record] as number;
      this.#index(start, this.#hashAt(start));
    }
  }

  #keyLength(start: number): number {
    return this.#records.bytes.readInt32BE(start);
  }

  #valueStart(start: number): number {
    return start + LENGTHS_BYTES + this.#keyLength(start) + SUFFIX_BYTES;
  }

  #endOf(start: number): number {
    return this.#valueStart(start) + this.#records.bytes.readInt32BE(start + 4);
  }

  #timestampAt(start: number): number {
    return readInt64(this.#records.bytes, start + LENGTHS_BYTES + this.#keyLength(start));
  }

  #hashAt(start: number): number {
    const keyStart = start + LENGTHS_BYTES;
    return hashOf(this.#records.bytes, keyStart, keyStart + this.#keyLength(start));
  }

  // ---- index ----

  #index(start: number, hash: number): void {
    const record = this.count++;
    if (record === this.#starts.length) this.#growRecords();
    const keyStart = start + LENGTHS_BYTES;
    const slot = this.#slotOf(this.#records.bytes, keyStart, this.#keyLength(start), hash);
    this.#starts[record] = start;
    this.#previous[record] = (this.#slots[slot + 1] as number) - 1;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = record + 1;
    if (this.#previous[record] === -1 && ++this.#keys * 2 * SLOT > this.#slots.length) this.#growSlots();
  }

  /** The slot of a key, or the free one where it belongs. */
  #slotOf(key: Buffer, keyStart: number, keyLength: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length / SLOT - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = at * SLOT;
      const last = slots[slot + 1] as number;
      if (last === 0) return slot;
      if (slots[slot] === hash && this.#hasKey(last - 1, key, keyStart, keyLength)) return slot;
    }
  }

  #hasKey(record: number, key: Buffer, keyStart: number, keyLength: number): boolean {
    const start = this.#starts[record] as number;
    if (this.#keyLength(start) !== keyLength) return false;
    const { bytes } = this.#records;
    const offset = start + LENGTHS_BYTES;
    for (let i = 0; i < keyLength; i++) if (bytes[offset + i] !== key[keyStart + i]) return false;
    return true;
  }

  #growRecords(): void {
    const starts = new Int32Array(this.#starts.length * 2);
    const previous = new Int32Array(starts.length);
    starts.set(this.#starts);
    previous.set(this.#previous);
    this.#starts = starts;
    this.#previous = previous;
  }

  #growSlots(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const mask = slots.length / SLOT - 1;
    for (let from = 0; from < old.length; from += SLOT) {
      if (old[from + 1] === 0) continue;
      let at = (old[from] as number) & mask;
      while (slots[at * SLOT + 1] !== 0) at = (at + 1) & mask;
      slots[at * SLOT] = old[from] as number;
      slots[at * SLOT + 1] = old[from + 1] as number;
    }
    this.#slots = slots;
  }

  #lastOf(key: KeyProbe): number {
    return (this.#slots[this.#slotOf(key.bytes, 0, key.length, key.hash) + 1] as number) - 1;
  }

  // ---- reading ----

  /** The bytes that the ranges of records refer to; another buffer after the next append. */
  get buffer(): Buffer {
    return this.#records.bytes;
  }

  /** Of a record: its key is `buffer[keyStart, keyEnd)`, its value `buffer[valueStart, valueEnd)`. */
  keyStart(record: number): number {
    return (this.#starts[record] as number) + LENGTHS_BYTES;
  }

  keyEnd(record: number): number {
    return this.valueStart(record) - SUFFIX_BYTES;
  }

  valueStart(record: number): number {
    return this.#valueStart(this.#starts[record] as number);
  }

  valueEnd(record: number): number {
    return this.#endOf(this.#starts[record] as number);
  }

  timestamp(record: number): number {
    return this.#timestampAt(this.#starts[record] as number);
  }

  /** The latest record of a key and time; −1 when there is none. */
  find(key: KeyProbe, timestamp: number): number {
    let record = this.#lastOf(key);
    while (record >= 0 && this.timestamp(record) !== timestamp) record = this.#previous[record] as number;
    return record;
  }

  /** The record before this one of the same key and time; −1 when there is none. */
  before(record: number): number {
    const timestamp = this.timestamp(record);
    let other = this.#previous[record] as number;
    while (other >= 0 && this.timestamp(other) !== timestamp) other = this.#previous[other] as number;
    return other;
  }

  /** Adds the records of a key with `first ≤ timestamp ≤ last`, by time, then arrival. */
  match(key: KeyProbe, first: number, last: number, matches: JoinMatches): void {
    const from = matches.count;
    for (let record = this.#lastOf(key); record >= 0; record = this.#previous[record] as number) {
      const start = this.#starts[record] as number;
      const timestamp = this.#timestampAt(start);
      if (timestamp < first || timestamp > last) continue;
      matches.add(timestamp, this.#records.bytes, this.#valueStart(start), this.#endOf(start));
    }
    if (matches.count > from + 1) matches.order(from);
  }

  /** Appends the records that are not in the changelog yet. */
  log(changelog: ChangelogWriter): void {
    const { bytes } = this.#records;
    for (let record = this.prepared.count; record < this.count; record++) {
      const start = this.#starts[record] as number;
      const keyStart = start + LENGTHS_BYTES;
      const valueStart = this.#valueStart(start);
      changelog.append(this.#timestampAt(start), bytes, keyStart, valueStart, bytes, valueStart, this.#endOf(start));
    }
  }

  /** The bytes of the records from one to before another. */
  copyRange(from: number, to: number, target: ByteBuffer): void {
    const end = to < this.count ? (this.#starts[to] as number) : this.bytes;
    target.writeRange(this.#records.bytes, this.#starts[from] as number, end);
  }

  /** The record behind the last one, from `from` on, that fits into a row of so many bytes together with those before it. */
  rowEnd(from: number, rowBytes: number): number {
    const limit = (this.#starts[from] as number) + rowBytes;
    let to = from + 1;
    while (to < this.count && this.#endOf(this.#starts[to] as number) <= limit) to++;
    return to;
  }

  /** Visits the records from one on, in arrival order. */
  forEach(
    from: number,
    visit: (bytes: Buffer, keyStart: number, keyEnd: number, timestamp: number, valueStart: number, valueEnd: number) => void,
  ): void {
    const { bytes } = this.#records;
    for (let record = from; record < this.count; record++) {
      const start = this.#starts[record] as number;
      const valueStart = this.#valueStart(start);
      visit(bytes, start + LENGTHS_BYTES, valueStart - SUFFIX_BYTES, this.#timestampAt(start), valueStart, this.#endOf(start));
    }
  }
}
