import type { Serde, TimestampExtractor } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import type { NodeProcessorSupplier } from '../node/node-processor.ts';
import type { ChangeSerde, StreamPartitioner, TopicNameExtractor } from '../node/task-port.ts';

/** Where a group starts in a topic for which it has no committed offset. */
export type OffsetReset = 'earliest' | 'latest' | 'none';

/** A source as the topology has it. Names of internal topics are without the application prefix. */
export interface SourceSpec {
  readonly kind: 'source';
  readonly name: string;
  readonly topics: readonly string[] | RegExp;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  readonly changeSerde?: ChangeSerde | undefined;
  readonly timestampExtractor: TimestampExtractor | undefined;
  readonly offsetReset: OffsetReset | undefined;
  /** Its records are the rows of a table. Default false. */
  readonly feedsTable?: boolean;
}

export interface ProcessorSpec {
  readonly kind: 'processor';
  readonly name: string;
  readonly supplier: NodeProcessorSupplier;
  readonly parents: readonly string[];
}

export interface SinkSpec {
  readonly kind: 'sink';
  readonly name: string;
  readonly topic: string | TopicNameExtractor<unknown, unknown>;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  readonly changeSerde?: ChangeSerde | undefined;
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
  readonly parents: readonly string[];
}

export type NodeSpec = SourceSpec | ProcessorSpec | SinkSpec;

/** A topic that the application makes for itself to bring records of one key together. */
export interface RepartitionTopicSpec {
  /** Without the application prefix, ends in `-repartition`. */
  readonly name: string;
  /** The user's count; otherwise it follows from the sources (kafka-streams §3.7). */
  readonly partitions: number | undefined;
}

/** A store, the nodes that use it, and where it is backed up. */
export interface StoreSpec {
  readonly builder: StoreBuilder;
  /** Names of the nodes connected to it. */
  readonly nodes: readonly string[];
  /** A source topic that serves as the changelog instead of one of its own (table optimisation). */
  readonly sourceTopicAsChangelog: string | undefined;
}

/** A store of which every worker holds all partitions. */
export interface GlobalStoreSpec {
  readonly builder: StoreBuilder;
  readonly source: SourceSpec;
  readonly processor: ProcessorSpec;
  /** True when restoring must run the processor (`addGlobalStore`) instead of loading raw bytes (`globalTable`). */
  readonly reprocessOnRestore: boolean;
}

/** One connected part of the topology: what a task runs. */
export interface SubtopologyPlan {
  readonly id: number;
  /** In the order of insertion. */
  readonly nodes: readonly NodeSpec[];
  /** External topics read, unprefixed. Patterns appear in `sourcePatterns`. */
  readonly sourceTopics: readonly string[];
  readonly sourcePatterns: readonly RegExp[];
  /** Internal topics read. */
  readonly repartitionSources: readonly RepartitionTopicSpec[];
  /** Internal topics written. */
  readonly repartitionSinks: readonly string[];
  /** External topics written whose name is fixed. */
  readonly sinkTopics: readonly string[];
  readonly stores: readonly StoreSpec[];
  /** Sets of topics (internal ones unprefixed) that must have equal partition counts. */
  readonly copartitionGroups: readonly (readonly string[])[];
  /** Patterns whose topics belong to the group with the same index. */
  readonly copartitionPatterns?: readonly (readonly RegExp[])[];
}

/** The whole topology, ready to be bound to partitions: data only. */
export interface TopologyPlan {
  readonly subtopologies: readonly SubtopologyPlan[];
  readonly globalStores: readonly GlobalStoreSpec[];
}
