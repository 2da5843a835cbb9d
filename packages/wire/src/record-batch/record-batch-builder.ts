import { assert, CorruptDataError, NO_HEADERS, type Headers } from '@millrace/core';
import { crc32c } from '../checksum/crc32c.ts';
import { compress } from '../compression/compress.ts';
import { compressionId, type Compression } from '../compression/compression.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../primitives/varint.ts';
import { checkBatchCrc, readBatchHeader, RecordBatchHeader } from './batch-header.ts';
import * as at from './batch-layout.ts';
import { sizeOfHeaders, writeHeaders } from './record-headers.ts';

/** What {@link RecordBatchBuilder.finish} writes into the batch header. */
export interface BatchIdentity {
  /** −1 (default) for a batch that is not idempotent. */
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** True when the batch belongs to a transaction. Default false. */
  readonly transactional?: boolean;
  /** True for commit and abort markers, which only brokers write. Default false. */
  readonly control?: boolean;
  /** Default `none`. */
  readonly compression?: Compression;
}

/** A record to append, in the form that is convenient rather than fast. */
export interface AppendedRecord {
  readonly timestamp: number;
  readonly key?: Uint8Array | undefined;
  readonly value?: Uint8Array | undefined;
  readonly headers?: Headers | undefined;
}

/** Up to here a byte loop is faster than the call into native code. */
const LOOP_COPY_BYTES_MAX = 48;
const EMPTY = Buffer.alloc(0);

/**
 * Builds one record batch (format version 2). Records are encoded straight into one growable buffer: no object, closure or
 * copy per record besides the bytes themselves.
 *
 *     append … append → finish → (send, maybe finish again with another identity, send again) → reset → append …
 *
 * **Ownership.** What {@link finish} returns is a view of the builder's buffer. It stays valid until the next `append`, `finish`
 * or `reset`; so reset only when the network no longer needs the bytes, which is when the response has come or the connection is gone.
 *
 * Source: Kafka `MemoryRecordsBuilder`, `DefaultRecord`.
 */
export class RecordBatchBuilder {
  #buffer: Buffer;
  #position = at.RECORDS_AT;
  #count = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  /** Header and compressed records, kept so that a second finish does not compress again. */
  #compressed: Buffer | undefined;
  #compressedWith: Compression = 'none';

  /** @param capacity bytes reserved at once; the buffer doubles when it is full, and keeps its size over resets */
  constructor(capacity = 16 * 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(capacity, at.RECORDS_AT));
  }

  /** Number of records appended since the last reset. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Bytes of the batch as it stands, header included, before compression. */
  get sizeInBytes(): number {
    return this.#position;
  }

  /** Bytes reserved for the batch; grows, and never shrinks. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /**
   * Appends a record whose key and value are ranges of other buffers; they are copied.
   *
   * @param timestamp milliseconds since the epoch; records need not be in order
   * @param keyStart negative for a record without key
   * @param valueStart negative for a record without value (a tombstone)
   */
  append(
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers = NO_HEADERS,
  ): void {
    if (this.#count === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    }
    const timestampDelta = timestamp - this.#baseTimestamp;
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const bodySize =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(this.#count) +
      sizeOfRange(keyLength) +
      sizeOfRange(valueLength) +
      (headers.length === 0 ? 1 : sizeOfHeaders(headers));
    const end = this.#position + sizeOfVarint(bodySize) + bodySize;
    if (end > this.#buffer.length) this.#grow(end);

    const buffer = this.#buffer;
    let position = writeVarint(buffer, this.#position, bodySize);
    buffer[position++] = 0;
    position = writeVarlong(buffer, position, timestampDelta);
    position = writeVarint(buffer, position, this.#count);
    position = writeRange(buffer, position, key, keyStart, keyLength);
    position = writeRange(buffer, position, value, valueStart, valueLength);
    if (headers.length === 0) buffer[position] = 0;
    else writeHeaders(buffer, position, headers);
    this.#position = end;
    this.#count++;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    this.#compressed = undefined;
  }

  /** Appends a record given as an object; for code that is not on the record path. */
  appendRecord(record: AppendedRecord): void {
    const key = asBuffer(record.key);
    const value = asBuffer(record.value);
    this.append(
      record.timestamp,
      key ?? EMPTY,
      key === undefined ? -1 : 0,
      key?.length ?? 0,
      value ?? EMPTY,
      value === undefined ? -1 : 0,
      value?.length ?? 0,
      record.headers,
    );
  }

  /**
   * Completes the header and returns the whole batch, ready to be sent.
   *
   * May be called again, with another producer id, epoch or sequence: a retry after an epoch bump. Compression is not repeated.
   */
  finish(identity: BatchIdentity = {}): Buffer {
    assert(this.#count > 0, 'a record batch without records was finished');
    const compression = identity.compression ?? 'none';
    const batch = compression === 'none' ? this.#buffer.subarray(0, this.#position) : this.#compress(compression);
    this.#writeHeader(batch, identity, compression);
    return batch;
  }

  /**
   * Takes over a batch that {@link finish} has returned without compression, in place of what the builder holds; the bytes are
   * copied. So a batch can be put aside and come back: sequence and identity are given at the next `finish`.
   *
   * @throws CorruptDataError when these are not the bytes that were returned then
   */
  load(batch: Buffer): void {
    const header = new RecordBatchHeader();
    if (!readBatchHeader(batch, 0, header) || header.sizeInBytes !== batch.length || header.compressionId !== 0)
      throw new CorruptDataError('CORRUPT_BATCH', `${batch.length} bytes are not one whole batch without compression`);
    checkBatchCrc(batch, header);
    this.reset();
    if (batch.length > this.#buffer.length) this.#grow(batch.length);
    batch.copy(this.#buffer, 0);
    this.#position = batch.length;
    this.#count = header.recordCount;
    this.#baseTimestamp = header.baseTimestamp;
    this.#maxTimestamp = header.maxTimestamp;
  }

  /** Forgets all records and keeps the buffer. See the class comment for when this is allowed. */
  reset(): void {
    this.#position = at.RECORDS_AT;
    this.#count = 0;
    this.#compressed = undefined;
  }

  #compress(compression: Compression): Buffer {
    if (this.#compressed !== undefined && this.#compressedWith === compression) return this.#compressed;
    const records = compress(compression, this.#buffer.subarray(at.RECORDS_AT, this.#position));
    const batch = Buffer.allocUnsafeSlow(at.RECORDS_AT + records.length);
    records.copy(batch, at.RECORDS_AT);
    this.#compressed = batch;
    this.#compressedWith = compression;
    return batch;
  }

  #writeHeader(batch: Buffer, identity: BatchIdentity, compression: Compression): void {
    const attributes =
      compressionId(compression) |
      (identity.transactional === true ? at.TRANSACTIONAL_FLAG : 0) |
      (identity.control === true ? at.CONTROL_FLAG : 0);
    writeInt64(batch, at.BASE_OFFSET_AT, 0);
    batch.writeInt32BE(batch.length - at.LOG_OVERHEAD, at.BATCH_LENGTH_AT);
    batch.writeInt32BE(-1, at.LEADER_EPOCH_AT);
    batch[at.MAGIC_AT] = at.MAGIC;
    batch.writeInt16BE(attributes, at.ATTRIBUTES_AT);
    batch.writeInt32BE(this.#count - 1, at.LAST_OFFSET_DELTA_AT);
    writeInt64(batch, at.BASE_TIMESTAMP_AT, this.#baseTimestamp);
    writeInt64(batch, at.MAX_TIMESTAMP_AT, this.#maxTimestamp);
    writeInt64(batch, at.PRODUCER_ID_AT, identity.producerId ?? at.NO_PRODUCER);
    batch.writeInt16BE(identity.producerEpoch ?? at.NO_PRODUCER, at.PRODUCER_EPOCH_AT);
    batch.writeInt32BE(identity.baseSequence ?? at.NO_PRODUCER, at.BASE_SEQUENCE_AT);
    batch.writeInt32BE(this.#count, at.RECORD_COUNT_AT);
    batch.writeUInt32BE(crc32c(batch, at.ATTRIBUTES_AT, batch.length), at.CRC_AT);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#position);
    this.#buffer = larger;
  }
}

/**
 * The most bytes that a record can add to a batch: tells whether it still fits before it is appended.
 *
 * @param keyLength bytes of the key, −1 for none; likewise `valueLength`
 */
export function recordBytesMax(keyLength: number, valueLength: number, headers: Headers = NO_HEADERS): number {
  // Length, key length, value length and offset delta: up to five bytes each; timestamp delta up to ten; attributes one.
  const overhead = 4 * 5 + 10 + 1;
  return overhead + Math.max(0, keyLength) + Math.max(0, valueLength) + sizeOfHeaders(headers);
}

function sizeOfRange(length: number): number {
  return length < 0 ? 1 : sizeOfVarint(length) + length;
}

function writeRange(target: Buffer, position: number, source: Buffer, start: number, length: number): number {
  const body = writeVarint(target, position, length);
  if (length <= 0) return body;
  if (length > LOOP_COPY_BYTES_MAX) source.copy(target, body, start, start + length);
  else for (let i = 0; i < length; i++) target[body + i] = source[start + i] as number;
  return body + length;
}

function writeInt64(target: Buffer, position: number, value: number): void {
  target.writeInt32BE(Math.floor(value / 0x1_0000_0000), position);
  target.writeUInt32BE(value >>> 0, position + 4);
}

function asBuffer(bytes: Uint8Array | null | undefined): Buffer | undefined {
  if (bytes == null) return undefined;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
