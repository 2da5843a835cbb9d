import { latin1Slice } from '@millrace/core';
import { Bucket } from '../../overlay/entry.ts';
import { RAW_VALUES } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { JoinList } from './join-list.ts';
import type { JoinLists } from './join-lists.ts';
import type { RecordBucket } from '../time-bucket/record-bucket.ts';
import type { RecordBuckets } from '../time-bucket/record-buckets.ts';

/**
 * Moves buckets out of memory when there is too much of them: each key's records become a list of its own in the database,
 * which is read and written one by one. The oldest buckets go first: most of the window has left them.
 *
 * A move is part of a commit; until that has succeeded the bucket stays in memory.
 */
export class BucketMoves {
  readonly #buckets: RecordBuckets<RecordBucket>;
  readonly #lists: JoinLists<string, Buffer>;
  readonly #bytesMax: number;
  #moving: RecordBucket[] = [];

  /** @param bytesMax what committed records may occupy in memory */
  constructor(buckets: RecordBuckets<RecordBucket>, lists: JoinLists<string, Buffer>, bytesMax: number) {
    this.#buckets = buckets;
    this.#lists = lists;
    this.#bytesMax = bytesMax;
  }

  /** Call behind `RecordBuckets.prepareCommit`. */
  prepareCommit(batch: WriteBatch): void {
    const candidates = [...this.#buckets.live].sort((a, b) => a.id - b.id);
    let excess = candidates.reduce((sum, { bytes }) => sum + bytes, -this.#bytesMax);
    for (const bucket of candidates) {
      if (excess <= 0) return;
      excess -= bucket.bytes;
      this.#moving.push(bucket);
      this.#putLists(bucket, batch);
      this.#buckets.deleteRows(bucket, batch);
    }
  }

  #putLists(bucket: RecordBucket, batch: WriteBatch): void {
    const home = new Bucket(bucket.id);
    const lists = new Map<string, JoinList>();
    bucket.forEach(0, (bytes, keyStart, keyEnd, timestamp, valueStart, valueEnd) => {
      const key = latin1Slice(bytes, keyStart, keyEnd);
      let list = lists.get(key);
      if (list === undefined) {
        list = new JoinList(home, key);
        lists.set(key, list);
      }
      list.append(timestamp, RAW_VALUES.holdAt(bytes, valueStart, valueEnd));
    });
    for (const list of lists.values()) this.#lists.put(list, batch);
  }

  /** The buckets that are lists now. */
  committed(): readonly RecordBucket[] {
    const moved = this.#moving;
    this.#moving = [];
    return moved;
  }

  rollback(): void {
    this.#moving = [];
  }
}
