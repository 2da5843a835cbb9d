/**
 * The declarative API: streams and tables, joined, grouped and windowed.
 *
 * @module
 */
export type { Optimization, OptimizationChoice } from './graph/optimization.ts';
export type { AggregateOptions } from './grouped/aggregate.ts';
export type {
  AsyncFlatRecordMapper,
  AsyncFlatValueMapper,
  AsyncMany,
  AsyncRecordAction,
  AsyncRecordMapper,
  AsyncValueMapper,
} from './operators/async-callbacks.ts';
export type {
  Aggregator,
  FlatRecordMapper,
  FlatValueMapper,
  Initializer,
  Joiner,
  KeySelector,
  Predicate,
  RecordAction,
  RecordMapper,
  Reducer,
  SessionMerger,
  ValueMapper,
} from './operators/callbacks.ts';
export type { ValueTransformer, ValueTransformerSupplier } from './operators/value-transformer.ts';
export type { MaterializedOptions } from './options/materialized.ts';
export type {
  ConsumedOptions,
  GroupedOptions,
  NamedOptions,
  ProcessOptions,
  ProducedOptions,
  RepartitionOptions,
  SerdeOptions,
  StreamJoinOptions,
  TableJoinOptions,
} from './options/operator-options.ts';
export {
  type Suppressed,
  untilTimeLimit,
  type UntilTimeLimitOptions,
  untilWindowCloses,
  type UntilWindowClosesOptions,
} from './options/suppressed.ts';
export type { PromiseRefused, Sync } from './options/synchronous.ts';
export type { SinkTopic, TopicChooser } from './stream/sink.ts';
export type { Branch } from './stream/split.ts';
export {
  CogroupedKStream,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  SessionWindowedCogroupedKStream,
  SessionWindowedKStream,
  TimeWindowedCogroupedKStream,
  TimeWindowedKStream,
  type Absent,
  type JoinableTable,
} from './streams.ts';
export type { ForeignKeyExtractor } from './operators/foreign-key/subscription-send.ts';
export type { ForeignKeyJoinOptions } from './table/foreign-key-join.ts';
export type { JoinTablesOptions } from './table/join-tables.ts';
export type { TransformValuesOptions } from './table/transform-table.ts';
export { StreamsBuilder, type StreamsBuilderOptions } from './streams-builder.ts';
export type { AlignedWindows } from './windows/aligned-windows.ts';
export type { SuppressOptions } from './table/suppress-table.ts';
export { JoinWindows } from './windows/join-windows.ts';
export { SessionWindows } from './windows/session-windows.ts';
export { SlidingWindows } from './windows/sliding-windows.ts';
export { TimeWindows } from './windows/time-windows.ts';
export { UnlimitedWindows } from './windows/unlimited-windows.ts';
export type { Emit, WindowedOptions } from './windows/windowed-options.ts';
export { windowedPartitioner } from './windows/windowed-partitioner.ts';
export type { GlobalJoinOptions } from './options/global-join-options.ts';
export type { BuildOptions } from './streams-builder.ts';
export { GlobalKTable } from './table/global-table.ts';
export { sessionWindowedSerde, timeWindowedSerde, type WindowedSerde } from './windows/windowed-serde.ts';
