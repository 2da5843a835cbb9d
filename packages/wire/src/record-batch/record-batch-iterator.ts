import { checkBatchCrc, readBatchHeader, RecordBatchHeader } from './batch-header.ts';

/**
 * Walks over the batches of a record set, as a Fetch response carries it. Reusable: {@link open} starts over.
 *
 * It stops in front of a batch that is cut off by the end of the record set; `position` tells where.
 *
 * @example
 * iterator.open(records);
 * while (iterator.next()) cursor.open(records, iterator.header);
 */
export class RecordBatchIterator {
  /** The current batch; overwritten by every {@link next}. */
  readonly header: RecordBatchHeader = new RecordBatchHeader();
  /** Where the next batch starts; after the last one, the number of bytes in complete batches. */
  position = 0;
  #records: Buffer = Buffer.alloc(0);
  readonly #checkCrc: boolean;

  /** @param options.checkCrc false when the bytes were checked already; default true */
  constructor(options: { readonly checkCrc?: boolean } = {}) {
    this.#checkCrc = options.checkCrc ?? true;
  }

  open(records: Buffer): void {
    this.#records = records;
    this.position = 0;
  }

  /**
   * Moves to the next complete batch.
   *
   * @throws CorruptDataError when the bytes cannot be a batch or its checksum is wrong
   */
  next(): boolean {
    const records = this.#records;
    if (!readBatchHeader(records, this.position, this.header)) return false;
    if (this.#checkCrc) checkBatchCrc(records, this.header);
    this.position += this.header.sizeInBytes;
    return true;
  }
}
