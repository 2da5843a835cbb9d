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
export { murmur2, partitionForHash, partitionForKey } from './hash/murmur2.ts';
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
export { apiByKey, ApiKey, apis } from './messages/api-table.ts';
export {
  apiVersions,
  describeCluster,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from './messages/cluster.ts';
export {
  alterConfigs,
  describeConfigs,
  incrementalAlterConfigs,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from './messages/configs.ts';
export {
  fetch,
  type FetchRequest,
  type FetchResponse,
} from './messages/fetch.ts';
export {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type ListGroupsRequest,
  type ListGroupsResponse,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from './messages/groups.ts';
export {
  metadata,
  type MetadataRequest,
  type MetadataResponse,
} from './messages/metadata.ts';
export {
  listOffsets,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  offsetForLeaderEpoch,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './messages/offsets.ts';
export {
  produce,
  type ProduceRequest,
  type ProduceResponse,
} from './messages/produce.ts';
export {
  saslAuthenticate,
  saslHandshake,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from './messages/sasl.ts';
export {
  streamsGroupDescribe,
  streamsGroupHeartbeat,
  type StreamsGroupDescribeRequest,
  type StreamsGroupDescribeResponse,
  type StreamsGroupHeartbeatInput,
  type StreamsGroupHeartbeatRequest,
  type StreamsGroupHeartbeatResponse,
} from './messages/streams-groups.ts';
export {
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from './messages/topics.ts';
export {
  addOffsetsToTxn,
  addPartitionsToTxn,
  describeTransactions,
  endTxn,
  initProducerId,
  listTransactions,
  txnOffsetCommit,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
  type EndTxnRequest,
  type EndTxnResponse,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from './messages/transactions.ts';
export {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Assignment,
  type AssignmentInput,
  type Subscription,
  type SubscriptionInput,
} from './messages/consumer-protocol.ts';
export { ErrorCode, errorName } from './messages/error-code.ts';
export {
  defineApi,
  isFlexible,
  type Api,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from './schema/api.ts';
export type { Decoded, Encodable, Field, Fields } from './schema/field.ts';
export {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  readRequest,
  readResponse,
  writeRequest,
  writeResponse,
} from './schema/message-codec.ts';
export {
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  skipTags,
  writeRequestHeader,
  writeResponseHeader,
  type RequestHeader,
} from './schema/message-header.ts';
export type { VersionRange } from './schema/version-range.ts';
