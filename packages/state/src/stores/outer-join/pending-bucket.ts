import { ByteBuffer, readInt64 } from '@millrace/core';
import type { ChangelogWriter } from '../../contracts/state-store.ts';
import { KeyProbe } from '../time-bucket/key-probe.ts';
import { RecordBucket } from '../time-bucket/record-bucket.ts';

/** Bytes before the list value of a change: when it was made. */
export const WRITTEN_AT_BYTES = 8;
/** The byte before the key, as in the changelog. */
export const RIGHT = 0;
export const LEFT = 1;

/**
 * What is pending of one time bucket, as the changes that led to it: each is a record with the side and the key as its key, and
 * as its value the time of writing and the list value; a removal has no list value. The latest change of a key and time counts.
 */
export class PendingBucket extends RecordBucket {
  /** How many items are pending. */
  live = 0;
  /** The latest changes of the items in scan order, gone ones among them; made when a scan comes here. */
  #sorted: number[] | undefined = undefined;
  /** Nothing in `#sorted` before this index is pending. */
  #head = 0;
  readonly #probe = new KeyProbe();
  readonly #logKey = new ByteBuffer(64);

  /** Adds a change; the value of the probe's key at that time is the written range. */
  change(key: KeyProbe, timestamp: number, source: Buffer, valueEnd: number): void {
    const before = this.find(key, timestamp);
    if (before >= 0 && this.isPending(before)) this.live--;
    const record = this.count;
    this.appendBytes(key, timestamp, 0, source, 0, valueEnd);
    if (!this.isPending(record)) return;
    this.live++;
    if (this.#sorted !== undefined) this.#insert(this.#sorted, record);
  }

  /** True for a change that puts something; whether it is the latest is another matter. */
  isPending(record: number): boolean {
    return this.valueEnd(record) - this.valueStart(record) > WRITTEN_AT_BYTES;
  }

  isLatest(record: number): boolean {
    this.#probe.setBytes(this.buffer, this.keyStart(record), this.keyEnd(record));
    return this.find(this.#probe, this.timestamp(record)) === record;
  }

  override truncate(count: number, bytes: number): void {
    super.truncate(count, bytes);
    this.recount();
  }

  /** Finds out what follows from the changes; to be called after rows have been loaded. */
  recount(): void {
    this.#sorted = undefined;
    this.#head = 0;
    this.live = 0;
    for (let record = 0; record < this.count; record++) if (this.isPending(record) && this.isLatest(record)) this.live++;
  }

  // ---- scan ----

  get sorted(): readonly number[] {
    if (this.#sorted === undefined) {
      const records: number[] = [];
      for (let record = 0; record < this.count; record++)
        if (this.isPending(record) && this.isLatest(record)) records.push(record);
      this.#sorted = records.sort((a, b) => this.compare(a, this, b));
    }
    return this.#sorted;
  }

  /** The index in `sorted` of the first item that is pending, if one is. */
  get head(): number {
    const { sorted } = this;
    while (this.#head < sorted.length && !this.isLatest(sorted[this.#head] as number)) this.#head++;
    return this.#head;
  }

  #insert(sorted: number[], record: number): void {
    let at = sorted.length;
    while (at > 0 && this.compare(sorted[at - 1] as number, this, record) > 0) at--;
    sorted.splice(at, 0, record);
    this.#head = Math.min(this.#head, at);
  }

  /** In the order time, side (right before left), key bytes. */
  compare(record: number, other: PendingBucket, otherRecord: number): number {
    const difference = this.timestamp(record) - other.timestamp(otherRecord);
    if (difference !== 0) return difference;
    return this.buffer.compare(
      other.buffer,
      other.keyStart(otherRecord),
      other.keyEnd(otherRecord),
      this.keyStart(record),
      this.keyEnd(record),
    );
  }

  // ---- changelog ----

  /** Logs the items that differ from what the changelog has. */
  override log(changelog: ChangelogWriter): void {
    for (let record = this.prepared.count; record < this.count; record++) {
      if (!this.isLatest(record)) continue;
      if (this.isPending(record) || this.#wasLogged(record)) this.#logChange(record, changelog);
    }
  }

  /** True when the changelog has a value for the item. */
  #wasLogged(record: number): boolean {
    let before = this.before(record);
    while (before >= this.prepared.count) before = this.before(before);
    return before >= 0 && this.isPending(before);
  }

  #logChange(record: number, changelog: ChangelogWriter): void {
    const key = this.#logKey;
    key.clear();
    key.writeInt64(this.timestamp(record));
    key.writeRange(this.buffer, this.keyStart(record), this.keyEnd(record));
    const valueStart = this.valueStart(record);
    const listStart = this.isPending(record) ? valueStart + WRITTEN_AT_BYTES : -1;
    const listEnd = listStart < 0 ? -1 : this.valueEnd(record);
    changelog.append(readInt64(this.buffer, valueStart), key.bytes, 0, key.length, this.buffer, listStart, listEnd);
  }
}
