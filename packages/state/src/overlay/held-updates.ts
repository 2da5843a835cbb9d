import { type Headers, NO_HEADERS, type RecordContext } from '@millrace/core';
import type { HeldValue } from './value-codec.ts';

/** An update that has not been reported yet: what the row was before it, and which record made it. */
export class HeldUpdate {
  /** Where the last update stands in the list; −1 when nothing is held. */
  position = -1;
  /** The value at the previous flush; `undefined` when the row was absent. */
  before: HeldValue | undefined = undefined;
  /** Whether somebody has used the row as it is now: then it must be reported, even if it is gone as it came. */
  isSeen = false;
  /** The timestamp given with the last write. */
  writtenAt = -1;
  topic: string | undefined = undefined;
  partition = -1;
  offset = -1;
  recordTimestamp = -1;
  headers: Headers = NO_HEADERS;

  remember(record: RecordContext): void {
    this.topic = record.topic;
    this.partition = record.partition;
    this.offset = record.offset;
    this.recordTimestamp = record.timestamp;
    this.headers = record.headers;
  }

  recall(record: RecordContext): void {
    record.set(this.topic, this.partition, this.offset, this.recordTimestamp, this.headers);
  }
}

/** Something whose updates can be held back. */
export interface Holdable {
  update: HeldUpdate | undefined;
}

/** What a row holds as the last flush has reported it: before its update, while one is held back. */
export function reportedValue({ update, held }: Holdable & { readonly held: HeldValue | undefined }): HeldValue | undefined {
  return update === undefined || update.position < 0 ? held : update.before;
}

/** Below this length the list of updates is not worth compacting. */
const COMPACT_FROM = 1024;

/**
 * Record caching: updates are held back until the flush, which reports each row once, in the order of last updates.
 *
 * Every update is appended to a list and the row remembers the position of its last one; positions that are not a row's
 * last are skipped. Half of the list being stale makes it compact itself, so its length is bounded by the number of rows.
 *
 * Source: Kafka Streams `NamedCache` (order), `CachingKeyValueStore.putAndMaybeForward` (context, old value).
 */
export class HeldUpdates<T extends Holdable> {
  #list: T[] = [];
  /** Updates of rows that have been flushed: rows of which most are written once would each keep one as long as they live. */
  readonly #spare: HeldUpdate[] = [];
  #rows = 0;
  #flushing = false;

  /** @param before the row's value before this update; kept when it is the first since the last flush */
  hold(item: T, before: HeldValue | undefined, writtenAt: number, record: RecordContext): void {
    item.update ??= this.#spare.pop() ?? new HeldUpdate();
    const update = item.update;
    if (update.position < 0) {
      update.before = before;
      update.isSeen = false;
      this.#rows++;
    }
    update.writtenAt = writtenAt;
    update.remember(record);
    update.position = this.#list.length;
    this.#list.push(item);
    if (this.#list.length > COMPACT_FROM && this.#list.length > 2 * this.#rows && !this.#flushing) this.#compact();
  }

  #compact(): void {
    const list = this.#list;
    let kept = 0;
    for (let i = 0; i < list.length; i++) {
      const item = list[i] as T;
      const update = item.update as HeldUpdate;
      if (update.position !== i) continue;
      update.position = kept;
      list[kept++] = item;
    }
    list.length = kept;
  }

  /**
   * Visits each held row with the record context of its last update. Updates that the visits themselves cause are
   * visited in the same flush.
   */
  flush(record: RecordContext, visit: (item: T, update: HeldUpdate) => void): void {
    if (this.#list.length === 0 || this.#flushing) return;
    const { topic, partition, offset, timestamp, headers } = record;
    this.#flushing = true;
    try {
      for (let i = 0; i < this.#list.length; i++) {
        const item = this.#list[i] as T;
        const update = item.update as HeldUpdate;
        if (update.position !== i) continue;
        update.position = -1;
        this.#rows--;
        update.recall(record);
        visit(item, update);
        if (update.position < 0) this.#release(item, update);
      }
      this.#list.length = 0;
    } finally {
      this.#flushing = false;
      record.set(topic, partition, offset, timestamp, headers);
    }
  }

  #release(item: T, update: HeldUpdate): void {
    item.update = undefined;
    update.before = undefined;
    update.headers = NO_HEADERS;
    this.#spare.push(update);
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  /** Visits each held row, in the order of last updates. */
  forEach(visit: (item: T) => void): void {
    for (let i = 0; i < this.#list.length; i++) {
      const item = this.#list[i] as T;
      if (item.update?.position === i) visit(item);
    }
  }

  clear(): void {
    this.#list = [];
    this.#rows = 0;
  }
}
