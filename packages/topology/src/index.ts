/**
 * What a topology is: the Processor API, the topology built by hand, its plan, and the nodes that a task runs.
 *
 * @module
 */
export { matchesTopic } from './builder/topic-pattern.ts';
export { Topology, type SinkOptions, type SourceOptions, type TopicSelection } from './builder/topology.ts';
export { assertName } from './builder/assert-name.ts';
export type { TopologyDefinition } from './builder/topology-definition.ts';
export { describeDifference, type DescribedTopology, type TopologyDifference } from './difference/describe-difference.ts';
export type { AsyncCall, AsyncLane, AsyncOperator, AsyncOrder, AsyncSettings } from './node/async-operator.ts';
export { openAsyncLane } from './node/open-async-lane.ts';
export type { NodeContext, NodeProcessor, NodeProcessorSupplier } from './node/node-processor.ts';
export type { SourceNode } from './node/source-node.ts';
export type { ChangeSerde, SinkTarget, SinkWriter, StreamPartitioner, TaskPort, TopicNameExtractor } from './node/task-port.ts';
export { TaskTopology } from './node/task-topology.ts';
export { resolvePartitionCounts, type PartitionCounts } from './plan/partition-counts.ts';
export { planTopology } from './plan/plan-topology.ts';
export type {
  GlobalStoreSpec,
  NodeSpec,
  OffsetReset,
  ProcessorSpec,
  RepartitionTopicSpec,
  SinkSpec,
  SourceSpec,
  StoreSpec,
  SubtopologyPlan,
  TopologyPlan,
} from './plan/specs.ts';
export { type AsyncOptions, resolveAsyncOptions, type RetryOptions } from './processor/async-options.ts';
export type { AsyncProcessor, AsyncProcessorSupplier } from './processor/async-processor.ts';
export { assertFreshProcessors } from './processor/checked-supplier.ts';
export { processingContext } from './processor/processing-context.ts';
export type {
  Cancellable,
  FixedKeyProcessor,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  FixedKeyRecord,
  ProcessingContext,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  Punctuator,
} from './processor/processor.ts';
export { fixedKeyNodeSupplier, processorNodeSupplier } from './processor/user-processor.ts';
export { asyncProcessorNodeSupplier } from './processor/user-async-processor.ts';
