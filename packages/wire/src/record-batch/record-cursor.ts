import { CorruptDataError, NO_HEADERS, type Headers } from '@millrace/core';
import { decompress, DECOMPRESSED_BYTES_MAX } from '../compression/decompress.ts';
import { ProtocolReader } from '../primitives/protocol-reader.ts';
import type { RecordBatchHeader } from './batch-header.ts';
import { RECORD_BYTES_MIN, RECORDS_AT } from './batch-layout.ts';
import { readHeaders } from './record-headers.ts';

const EMPTY = Buffer.alloc(0);

export interface RecordCursorOptions {
  /** Largest size to which one batch may decompress. Bytes · default 64 MiB. */
  readonly decompressedBytesMax?: number;
}

/**
 * Walks over the records of one batch without making an object per record: the fields describe the current record, as ranges
 * of `buffer`. Reusable: {@link open} starts over with another batch.
 *
 * The ranges stay valid after the walk, because a compressed batch is decompressed into a buffer of its own and an
 * uncompressed one is not copied.
 *
 * @example
 * cursor.open(records, iterator.header);
 * while (cursor.next()) handle(cursor.buffer, cursor.valueStart, cursor.valueEnd);
 */
export class RecordCursor {
  /** What the ranges refer to: the record set, or the decompressed records of this batch. */
  buffer: Buffer = EMPTY;
  offset = 0;
  /** Milliseconds since the epoch; what the broker stamped, if the topic is configured so. */
  timestamp = 0;
  /** The key is `buffer[keyStart, keyEnd)`; both are −1 when there is none (null). */
  keyStart = -1;
  keyEnd = -1;
  /** The value is `buffer[valueStart, valueEnd)`; both are −1 when there is none (null, a tombstone). */
  valueStart = -1;
  valueEnd = -1;
  headerCount = 0;

  readonly #decompressedBytesMax: number;
  readonly #reader = new ProtocolReader();
  #batchEnd = 0;
  #recordEnd = 0;
  #headersStart = 0;
  #remaining = 0;
  #fromOffset = 0;
  #baseOffset = 0;
  #lastOffsetDelta = 0;
  #baseTimestamp = 0;
  /** −1, or the timestamp that replaces those of the records. */
  #logAppendTime = -1;

  constructor(options: RecordCursorOptions = {}) {
    this.#decompressedBytesMax = options.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX;
  }

  /**
   * Starts at the first record of a complete batch, whose checksum has been verified.
   *
   * @param records the record set that `header` was read from
   * @param fromOffset records below it are passed over: a batch that contains the fetch offset is served whole
   * @throws CorruptDataError when the batch cannot be decompressed or claims more records than its bytes can hold
   */
  open(records: Buffer, header: RecordBatchHeader, fromOffset = 0): void {
    const start = header.position + RECORDS_AT;
    const end = header.position + header.sizeInBytes;
    if (header.compressionId === 0 || header.recordCount === 0) this.#start(records, start, end);
    else {
      const plain = decompress(header.compressionId, records.subarray(start, end), this.#decompressedBytesMax);
      this.#start(plain, 0, plain.length);
    }
    this.#remaining = header.recordCount;
    this.#fromOffset = fromOffset;
    this.#baseOffset = header.baseOffset;
    this.#lastOffsetDelta = header.lastOffsetDelta;
    this.#baseTimestamp = header.baseTimestamp;
    this.#logAppendTime = header.hasLogAppendTime ? header.maxTimestamp : -1;
    if (header.recordCount * RECORD_BYTES_MIN > this.#reader.remaining) {
      throw this.#corrupt(`${header.recordCount} records cannot fit into ${this.#reader.remaining} bytes`);
    }
  }

  #start(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.#batchEnd = end;
    this.#reader.reset(buffer, start, end);
  }

  /**
   * Moves to the next record.
   *
   * @returns false after the last one
   * @throws CorruptDataError when the record is not what the format allows
   */
  next(): boolean {
    while (this.#remaining > 0) {
      this.#remaining--;
      this.#readRecord();
      if (this.offset >= this.#fromOffset) return true;
    }
    if (this.#reader.position !== this.#batchEnd) throw this.#corrupt('bytes follow the last record of the batch');
    return false;
  }

  /** The headers of the current record, decoded now; values are views of {@link buffer}. */
  headers(): Headers {
    if (this.headerCount === 0) return NO_HEADERS;
    return readHeaders(new ProtocolReader(this.buffer, this.#headersStart, this.#recordEnd), this.headerCount);
  }

  #readRecord(): void {
    const reader = this.#reader;
    reader.end = this.#batchEnd;
    const length = reader.varint();
    const end = reader.position + length;
    if (length < 0 || end > this.#batchEnd) throw this.#corrupt(`record of ${length} bytes crosses the end of the batch`);
    reader.end = end;
    reader.position++; // The attributes of a record have no meaning so far.
    const timestamp = this.#baseTimestamp + reader.varlong();
    this.timestamp = this.#logAppendTime === -1 ? timestamp : this.#logAppendTime;
    const offsetDelta = reader.varint();
    if (offsetDelta < 0 || offsetDelta > this.#lastOffsetDelta)
      throw this.#corrupt(`offset delta ${offsetDelta} lies outside of the batch`);
    this.offset = this.#baseOffset + offsetDelta;

    const keyLength = reader.varint();
    this.keyStart = keyLength < 0 ? this.#nullOnly(keyLength) : reader.skip(keyLength);
    this.keyEnd = keyLength < 0 ? -1 : reader.position;
    const valueLength = reader.varint();
    this.valueStart = valueLength < 0 ? this.#nullOnly(valueLength) : reader.skip(valueLength);
    this.valueEnd = valueLength < 0 ? -1 : reader.position;

    const headerCount = reader.varint();
    this.headerCount = headerCount;
    this.#headersStart = reader.position;
    this.#recordEnd = end;
    this.#checkHeaderCount(headerCount, end - reader.position);
    reader.position = end;
  }

  #nullOnly(length: number): number {
    if (length === -1) return -1;
    throw this.#corrupt(`length ${length} of a key or value`);
  }

  #checkHeaderCount(count: number, bytes: number): void {
    // An empty header takes two bytes; without headers nothing may follow.
    if (count < 0 || count * 2 > bytes || (count === 0 && bytes !== 0)) {
      throw this.#corrupt(`${count} headers claimed where ${bytes} bytes of the record remain`);
    }
  }

  #corrupt(message: string): CorruptDataError {
    return new CorruptDataError('CORRUPT_RECORD', `${message} (batch with base offset ${this.#baseOffset})`);
  }
}
