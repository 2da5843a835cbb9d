/**
 * What everything else is built from: records, serdes, the ports to the world, and the error family. Imports nothing.
 *
 * @module
 */
export { ByteBuffer, readInt64 } from './byte-buffer.ts';
export { durationMs, type Duration } from './duration.ts';
export {
  assert,
  CancelledError,
  CorruptDataError,
  FatalStreamsError,
  ProcessingError,
  RetriableError,
  SettingsError,
  StreamsError,
  TaskCorruptedError,
  TaskMigratedError,
  TopologyError,
  TransactionAbortedError,
  type ErrorContext,
} from './errors.ts';
export { lastHeader, NO_HEADERS, type Header, type Headers } from './headers.ts';
export { latin1Slice, utf8Slice, utf8Write } from './native-buffer.ts';
export type { Cancel, Clock } from './ports/clock.ts';
export { silentLogger, type LogFields, type Logger } from './ports/logger.ts';
export type { Counter, Gauge, Histogram, MetricLabels, Metrics } from './ports/metrics.ts';
export { MetricsRegistry, type MetricSample } from './ports/metrics-registry.ts';
export type { Random } from './ports/random.ts';
export { seededRandom } from './ports/seeded-random.ts';
export { systemClock } from './ports/system-clock.ts';
export { systemRandom } from './ports/system-random.ts';
export type { Record, RecordMetadata } from './record.ts';
export { RecordContext } from './record-context.ts';
export { bytes } from './serde/bytes.ts';
export { json, type JsonOptions } from './serde/json.ts';
export { bigint64, double, int32, int64 } from './serde/numbers.ts';
export { readWith, writeWith, type Serde } from './serde/serde.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './serde/standard-schema.ts';
export { string } from './serde/string.ts';
export { compareTaskIds, formatTaskId, parseTaskId, type TaskId } from './task-id.ts';
export {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
  type ConsumedRecord,
  type TimestampExtractor,
} from './timestamp-extractor.ts';
export { assertTopicName, topic, type Topic } from './topic.ts';
export { topicPartitionKey, type TopicPartition } from './topic-partition.ts';
