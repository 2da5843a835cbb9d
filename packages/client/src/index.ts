/**
 * Kafka as the runtime wants it: group member, fetcher, producers, offsets, admin, over any {@link Transport}.
 *
 * @module
 */
export { createKafkaClient, type KafkaClientOptions } from './kafka-client.ts';
export type { BatchSpill } from './port/batch-spill.ts';
export type {
  Admin,
  Assignor,
  BatchAppender,
  CommittedOffset,
  Compression,
  DescribedMember,
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
  NewTopic,
  OffsetCommit,
  Offsets,
  ProduceFailure,
  Producer,
  ProducerOptions,
  TopicDescription,
  TopicHandle,
  TransactionalProducer,
  TransactionalProducerOptions,
} from './port/kafka-client.ts';
export type {
  StreamsGroupAssignment,
  StreamsGroupMemberOptions,
  StreamsGroupSubtopology,
  StreamsGroupTarget,
  StreamsGroupTasks,
  StreamsGroupTopic,
  StreamsTasks,
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
