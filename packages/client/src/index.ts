/**
 * Kafka as the runtime wants it: group member, fetcher, producers, offsets, admin, over any {@link Transport}.
 *
 * @module
 */
export { createKafkaClient, type KafkaClientOptions } from './kafka-client.ts';
export { formatEndpoint, parseEndpoint } from './lane/broker-endpoint.ts';
export type { Admin, DescribedMember, NewTopic, TopicDescription } from './port/admin.ts';
export type { BatchSpill } from './port/batch-spill.ts';
export type {
  Assignor,
  BatchAppender,
  CommittedOffset,
  Compression,
  FetchedBatch,
  FetchedPartition,
  Fetcher,
  FetcherOptions,
  FetchFailure,
  GroupMember,
  GroupMemberOptions,
  GroupMetadata,
  JoinedGroup,
  KafkaClient,
  MemberAssignment,
  MemberSubscription,
  OffsetCommit,
  Offsets,
  ProduceFailure,
  Producer,
  ProducerOptions,
  TopicHandle,
  TransactionalProducer,
  TransactionalProducerOptions,
} from './port/kafka-client.ts';
export type {
  GroupEndpoint,
  StreamsGroupAssignment,
  StreamsGroupMemberOptions,
  StreamsGroupSubtopology,
  StreamsGroupTarget,
  StreamsGroupTasks,
  StreamsGroupTopic,
  StreamsTasks,
  TopicPartitions,
} from './port/streams-group.ts';
export type {
  ApiRange,
  BrokerAddress,
  BrokerFeatures,
  BrokerTarget,
  Lane,
  SaslOptions,
  TlsOptions,
  Transport,
  TransportRequest,
} from './port/transport.ts';
