import type { RecordBatchHeader } from './batch-header.ts';
import { readControlMarker } from './control-marker.ts';
import { RecordBatchIterator } from './record-batch-iterator.ts';

/** A transaction that was aborted: its producer, and the first offset it wrote in this partition. From a Fetch response. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

const NONE: readonly AbortedTransaction[] = Object.freeze([]);

/** `read_committed` hides the records of aborted transactions; `read_uncommitted` shows all. Kafka: `isolation.level`. */
export type IsolationLevel = 'read_uncommitted' | 'read_committed';

/** One partition of a Fetch response. */
export interface FetchedRecords {
  readonly records: Buffer;
  /** The offset that was asked for. */
  readonly fetchOffset: number;
  readonly isolationLevel: IsolationLevel;
  /** As received: in any order, absent when reading uncommitted. */
  readonly abortedTransactions?: readonly AbortedTransaction[] | undefined;
}

/**
 * Walks over the batches of a fetched record set that a consumer may see, and keeps the position up to which it has read.
 * Reusable: {@link open} starts over.
 *
 * A transaction counts as aborted from its first offset to its abort marker, for batches of its producer. Markers are known by
 * the batch attribute, never by their bytes: user keys can look the same.
 *
 * `nextPosition` moves over *every* complete batch, also over control, aborted and empty ones. Fetching must go on from there:
 * a fetch often yields nothing visible and still makes progress.
 *
 * Source: Kafka `CompletedFetch.nextFetchedRecord`, whose priority queue is a sorted list here.
 *
 * @example
 * batches.open(fetched);
 * while (batches.next()) for (cursor.open(fetched.records, batches.header, fetched.fetchOffset); cursor.next(); ) take(cursor);
 * position = batches.nextPosition;
 */
export class CommittedBatches {
  /** Where to fetch from next, given the batches passed so far. */
  nextPosition = 0;
  /** True once offsets were missing between the asked-for one and `nextPosition`: compaction has removed records there. */
  hasGaps = false;
  readonly #iterator: RecordBatchIterator;
  readonly #abortedProducers = new Set<number>();
  #records: Buffer = Buffer.alloc(0);
  #fetchOffset = 0;
  #filters = false;
  /** Aborted transactions by first offset; those before `#nextAborted` have begun. */
  #aborted: readonly AbortedTransaction[] = NONE;
  #nextAborted = 0;

  /** @param options.checkCrc false when the checksums were verified already; default true */
  constructor(options: { readonly checkCrc?: boolean } = {}) {
    this.#iterator = new RecordBatchIterator(options);
  }

  /** The current batch; overwritten by every {@link next}. */
  get header(): RecordBatchHeader {
    return this.#iterator.header;
  }

  /** Bytes in complete batches passed so far. Zero at the end of a non-empty record set: the fetch limit cut the first batch. */
  get bytesRead(): number {
    return this.#iterator.position;
  }

  open(fetched: FetchedRecords): void {
    this.#iterator.open(fetched.records);
    this.#records = fetched.records;
    this.#fetchOffset = fetched.fetchOffset;
    this.nextPosition = fetched.fetchOffset;
    this.hasGaps = false;
    this.#filters = fetched.isolationLevel === 'read_committed';
    this.#abortedProducers.clear();
    this.#aborted = byFirstOffset(fetched.abortedTransactions ?? NONE);
    this.#nextAborted = 0;
  }

  /**
   * Moves to the next batch that has visible records.
   *
   * @returns false when the complete batches are used up
   * @throws CorruptDataError when the bytes are not record batches
   */
  next(): boolean {
    while (this.#iterator.next()) {
      const { header } = this.#iterator;
      const visible = this.#isVisible(header);
      if (header.baseOffset > this.nextPosition || header.recordCount < header.lastOffset - header.baseOffset + 1) {
        this.hasGaps = true;
      }
      this.nextPosition = Math.max(this.nextPosition, header.lastOffset + 1);
      if (visible) return true;
    }
    return false;
  }

  #isVisible(header: RecordBatchHeader): boolean {
    if (this.#filters) this.#beginAborted(header.lastOffset);
    if (header.isControl) {
      if (this.#filters && readControlMarker(this.#records, header) === 'abort') this.#abortedProducers.delete(header.producerId);
      return false;
    }
    if (header.recordCount === 0 || header.lastOffset < this.#fetchOffset) return false;
    return !(header.isTransactional && this.#abortedProducers.has(header.producerId));
  }

  /** Takes in the aborted transactions that have begun up to `lastOffset`. */
  #beginAborted(lastOffset: number): void {
    for (; this.#nextAborted < this.#aborted.length; this.#nextAborted++) {
      const transaction = this.#aborted[this.#nextAborted] as AbortedTransaction;
      if (transaction.firstOffset > lastOffset) return;
      this.#abortedProducers.add(transaction.producerId);
    }
  }
}

/** Brokers list transactions in the order in which they were aborted, not begun. */
function byFirstOffset(aborted: readonly AbortedTransaction[]): readonly AbortedTransaction[] {
  return aborted.length < 2 ? aborted : [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
}
