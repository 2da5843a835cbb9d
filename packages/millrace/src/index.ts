/**
 * Millrace: stream processing in the manner of Kafka Streams. What most programs import.
 *
 * @module
 */
export type { SaslOptions, TlsOptions } from '@millrace/client';
export {
  bigint64,
  bytes,
  type ConsumedRecord,
  double,
  type Duration,
  failOnInvalidTimestamp,
  type Header,
  type Headers,
  int32,
  int64,
  json,
  type JsonOptions,
  logAndSkipOnInvalidTimestamp,
  type LogFields,
  type Logger,
  type Metrics,
  MetricsRegistry,
  type Record,
  type RecordMetadata,
  type Serde,
  silentLogger,
  type StandardSchema,
  StreamsError,
  string,
  type TimestampExtractor,
  type Topic,
  topic,
  usePartitionTimeOnInvalidTimestamp,
} from '@millrace/core';
export {
  JoinWindows,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  sessionWindowedSerde,
  SessionWindowedKStream,
  SessionWindows,
  StreamsBuilder,
  timeWindowedSerde,
  TimeWindowedKStream,
  TimeWindows,
} from '@millrace/dsl';
export {
  type AppState,
  logAndContinueDeserialization,
  logAndContinueProcessing,
  logAndContinueProduction,
  type RestoreListener,
  type ResolvedSettings,
  type RestoreProgress,
  StreamsApplication,
  type StreamsComponents,
  type StreamsSettings,
} from '@millrace/runtime';
export {
  keyValueStore,
  type KeyValueStore,
  memoryEngine,
  sessionStore,
  type SessionStore,
  timestampedKeyValueStore,
  type TimestampedKeyValueStore,
  timestampedWindowStore,
  type ValueAndTimestamp,
  type WindowedKey,
  windowStore,
  type WindowStore,
} from '@millrace/state';
export {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  type FixedKeyProcessorSupplier,
  type FixedKeyRecord,
  type Processor,
  type ProcessorContext,
  type ProcessorSupplier,
  type Punctuator,
  Topology,
} from '@millrace/topology';
export { type ConnectionOptions, start, type StartOptions } from './start.ts';
