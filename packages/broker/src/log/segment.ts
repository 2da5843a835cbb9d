import type { RecordBatchHeader } from '@millrace/wire';
import type { SegmentBytes } from './segment-bytes.ts';
import { SparseIndex } from './sparse-index.ts';

/** What is remembered of a batch, so that no read has to scan. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly position: number;
  readonly sizeInBytes: number;
  readonly maxTimestamp: number;
}

/** A stretch of the log: a file, or memory, with an entry per batch. Deleted, rolled and compacted as a whole. */
export class Segment {
  readonly baseOffset: number;
  readonly bytes: SegmentBytes;
  batches: StoredBatch[] = [];
  /** Largest timestamp of a record in it, −1 while it is empty: what retention by time looks at. */
  maxTimestamp = -1;
  /** Timestamp of its first batch, from which `segment.ms` counts; −1 while it is empty. */
  firstTimestamp = -1;
  readonly #sparse = new SparseIndex();

  constructor(baseOffset: number, bytes: SegmentBytes) {
    this.baseOffset = baseOffset;
    this.bytes = bytes;
  }

  get sizeInBytes(): number {
    return this.bytes.sizeInBytes;
  }

  get isEmpty(): boolean {
    return this.batches.length === 0;
  }

  /** Appends a batch that has its offsets already. */
  append(batch: Buffer, header: RecordBatchHeader, indexIntervalBytes: number): void {
    const position = this.bytes.sizeInBytes;
    this.bytes.append(batch);
    this.index(header, position, indexIntervalBytes);
  }

  /** Takes note of a batch whose bytes are there. */
  index(header: RecordBatchHeader, position: number, indexIntervalBytes: number): void {
    const { baseOffset, lastOffset, sizeInBytes, maxTimestamp } = header;
    this.batches.push({ baseOffset, lastOffset, position, sizeInBytes, maxTimestamp });
    this.#sparse.add(lastOffset, position, sizeInBytes, indexIntervalBytes);
    if (this.firstTimestamp < 0) this.firstTimestamp = maxTimestamp;
    this.maxTimestamp = Math.max(this.maxTimestamp, maxTimestamp);
  }

  /** Forgets all entries, before the segment is indexed anew. */
  clearIndex(): void {
    this.batches = [];
    this.#sparse.clear();
    this.maxTimestamp = -1;
    this.firstTimestamp = -1;
  }

  /** Index of the first batch that ends at the offset or behind it; the number of batches when there is none. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.batches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Position of the first batch that starts at the offset or behind it; the size of the segment when there is none. */
  positionAtOrAfter(offset: number): number {
    const index = this.indexOf(offset);
    const batch = this.batches[index];
    if (batch === undefined) return this.sizeInBytes;
    return batch.baseOffset >= offset ? batch.position : batch.position + batch.sizeInBytes;
  }

  /** An offset behind which nothing lies before the position, as exactly as Kafka's index knows; `undefined` at the end. */
  boundAtOrAfterPosition(position: number): number | undefined {
    return this.#sparse.lastOffsetFrom(position);
  }

  /** The bytes of one batch. */
  read(batch: StoredBatch): Buffer {
    return this.bytes.read(batch.position, batch.sizeInBytes);
  }
}
