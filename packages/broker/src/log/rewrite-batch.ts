import { type Compression, compress, crc32c, ProtocolWriter, type RecordBatchHeader, RecordCursor } from '@millrace/wire';

const LENGTH_AT = 8;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const BASE_TIMESTAMP_AT = 27;
const RECORD_COUNT_AT = 57;
const HEADER_BYTES = 61;
const LOG_OVERHEAD = 12;
const COMPRESSION_MASK = 0x07;
const DELETE_HORIZON_FLAG = 0x40;
const NO_TIMESTAMP = -1;

const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** When the tombstones of a batch, or its marker, may go; `undefined` while that is not decided. */
export function deleteHorizonOf({ attributes, baseTimestamp }: RecordBatchHeader): number | undefined {
  return (attributes & DELETE_HORIZON_FLAG) === 0 ? undefined : baseTimestamp;
}

/**
 * The batch with some of its records, at the same offsets, under the same identity, compressed as before.
 *
 * A delete horizon takes the place of the base timestamp, so the timestamps of the records are written relative to it (KIP-534).
 *
 * @param keep asked for each record, at which the cursor stands
 */
export function rewriteBatch(
  batch: Buffer,
  header: RecordBatchHeader,
  deleteHorizonMs: number | undefined,
  keep: (cursor: RecordCursor) => boolean,
): Buffer {
  const baseTimestamp = deleteHorizonMs ?? header.baseTimestamp;
  const writer = new ProtocolWriter(header.sizeInBytes);
  const body = new ProtocolWriter(1024);
  const cursor = new RecordCursor();
  cursor.open(batch, header);
  let count = 0;
  while (cursor.next()) {
    if (!keep(cursor)) continue;
    writeRecord(writer, body, cursor, header.baseOffset, baseTimestamp);
    count++;
  }
  const records = compress(compressions[header.compressionId] as Compression, writer.view());
  const rewritten = Buffer.concat([batch.subarray(0, HEADER_BYTES), records]);
  rewritten.writeInt32BE(count, RECORD_COUNT_AT);
  if (deleteHorizonMs !== undefined) setHorizon(rewritten, deleteHorizonMs);
  return sealed(rewritten);
}

/** The batch without any record: it still tells the sequence and the epoch of its producer, and where the log goes on. */
export function emptyBatch(batch: Buffer): Buffer {
  const empty = Buffer.from(batch.subarray(0, HEADER_BYTES));
  const attributes = empty.readInt16BE(ATTRIBUTES_AT);
  empty.writeInt16BE(attributes & ~(COMPRESSION_MASK | DELETE_HORIZON_FLAG), ATTRIBUTES_AT);
  empty.writeBigInt64BE(BigInt(NO_TIMESTAMP), BASE_TIMESTAMP_AT);
  empty.writeInt32BE(0, RECORD_COUNT_AT);
  return sealed(empty);
}

function writeRecord(
  writer: ProtocolWriter,
  body: ProtocolWriter,
  cursor: RecordCursor,
  baseOffset: number,
  baseTimestamp: number,
): void {
  body.clear();
  body.int8(0);
  body.varlong(cursor.timestamp - baseTimestamp);
  body.varint(cursor.offset - baseOffset);
  writeRange(body, cursor.buffer, cursor.keyStart, cursor.keyEnd);
  writeRange(body, cursor.buffer, cursor.valueStart, cursor.valueEnd);
  const headers = cursor.headers();
  body.varint(headers.length);
  for (const { key, value } of headers) {
    const name = Buffer.from(key);
    writeRange(body, name, 0, name.length);
    if (value == null) body.varint(-1);
    else writeRange(body, Buffer.from(value), 0, value.length);
  }
  writer.varint(body.position);
  writer.raw(body.view());
}

function writeRange(writer: ProtocolWriter, bytes: Buffer, start: number, end: number): void {
  if (start < 0) {
    writer.varint(-1);
    return;
  }
  writer.varint(end - start);
  writer.raw(bytes.subarray(start, end));
}

function setHorizon(batch: Buffer, deleteHorizonMs: number): void {
  batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | DELETE_HORIZON_FLAG, ATTRIBUTES_AT);
  batch.writeInt32BE(Math.floor(deleteHorizonMs / 0x1_0000_0000), BASE_TIMESTAMP_AT);
  batch.writeUInt32BE(deleteHorizonMs >>> 0, BASE_TIMESTAMP_AT + 4);
}

function sealed(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - LOG_OVERHEAD, LENGTH_AT);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
  return batch;
}
