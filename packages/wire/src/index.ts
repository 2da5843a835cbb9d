/**
 * The Kafka protocol: record batches, messages, compression. Bytes in, bytes out; no connection, no state.
 *
 * @module
 */
export { crc32c } from './checksum/crc32c.ts';
export { compress } from './compression/compress.ts';
export type { Compression } from './compression/compression.ts';
export { decompress, DECOMPRESSED_BYTES_MAX } from './compression/decompress.ts';
export { loadCodecs } from './compression/load-codecs.ts';
export { murmur2, partitionForKey } from './hash/murmur2.ts';
export { ProtocolReader, ZERO_UUID } from './primitives/protocol-reader.ts';
export { ProtocolWriter } from './primitives/protocol-writer.ts';
export { checkBatchCrc, patchBaseOffset, readBatchHeader, RecordBatchHeader } from './record-batch/batch-header.ts';
export {
  CommittedBatches,
  type AbortedTransaction,
  type FetchedRecords,
  type IsolationLevel,
} from './record-batch/committed-batches.ts';
export {
  encodeControlBatch,
  readControlMarker,
  type ControlMarker,
  type ControlMarkerFields,
} from './record-batch/control-marker.ts';
export {
  recordBytesMax,
  RecordBatchBuilder,
  type AppendedRecord,
  type BatchIdentity,
} from './record-batch/record-batch-builder.ts';
export { RecordBatchIterator } from './record-batch/record-batch-iterator.ts';
export { RecordCursor, type RecordCursorOptions } from './record-batch/record-cursor.ts';
