import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import type {
  ChangeSerde,
  GlobalStoreSpec,
  NodeProcessorSupplier,
  SinkSpec,
  SourceSpec,
  StreamPartitioner,
} from '@millrace/topology';

/**
 * One operation of a program: what was called, not yet the nodes that come of it. The graph can be looked at and rewritten
 * until it is written into a topology.
 */
export interface GraphNode {
  /** Name of the topology node to which the nodes of its children are attached. */
  readonly name: string;
  /** Rewriting may replace it. */
  content: NodeContent;
  readonly traits: NodeTraits;
  readonly parents: Set<GraphNode>;
  readonly children: Set<GraphNode>;
  /** When it is written, compared with others whose parents are written too: in the order of the calls. */
  priority: number;
}

/** What rewriting the graph needs to know of an operation. */
export interface NodeTraits {
  readonly keyChanging?: boolean;
  readonly valueChanging?: boolean;
  readonly merges?: boolean;
  /** A join that also takes records without key on a side that it keeps: repartition topics above it must not drop them. */
  readonly joinsNullKeys?: boolean;
  /** How long after the end of its window a result can change, in stream time, ms: the grace; for sessions the gap, too. */
  readonly windowGraceMs?: number;
}

/** Suppliers and stores are asked for when the graph is written: what stands below an operation may still change them. */
export type NodeContent =
  | { readonly kind: 'root' }
  | { readonly kind: 'source'; readonly spec: SourceSpec }
  | { readonly kind: 'store'; readonly builder: StoreBuilder }
  | { readonly kind: 'global-store'; readonly spec: () => GlobalStoreSpec }
  | TableSourceContent
  | ProcessorContent
  | RepartitionContent
  | InternalTopicContent
  | StreamJoinContent
  | SelfJoinContent
  | TableJoinContent
  | { readonly kind: 'sink'; readonly spec: Omit<SinkSpec, 'parents'> };

export interface TableSourceContent {
  readonly kind: 'table-source';
  readonly source: SourceSpec;
  readonly supplier: () => NodeProcessorSupplier;
  readonly stores: () => readonly StoreBuilder[];
}

export interface ProcessorContent {
  readonly kind: 'processor';
  readonly supplier: () => NodeProcessorSupplier;
  /** Stores that belong to this operation. */
  readonly stores?: () => readonly StoreBuilder[];
  /** Names of stores that belong to others. */
  readonly connect?: () => readonly string[];
}

/** A topic through which records go to the task of their key: filter, sink and source. */
export interface RepartitionContent {
  readonly kind: 'repartition';
  /** Without the application prefix. */
  readonly topic: string;
  readonly filter: string;
  readonly sink: string;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly partitions: number | undefined;
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
  /** False for `repartition()`, which the user wants where it is. */
  readonly optimizable: boolean;
}

/**
 * A topic of the application that carries other things than the records of a stream: changes of a table, or the messages of a
 * foreign-key join. Sink and source; the operation has the name of the source.
 */
export interface InternalTopicContent {
  readonly kind: 'internal-topic';
  /** Without the application prefix. */
  readonly topic: string;
  readonly sink: string;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  /** For changes of a table; `value` is then the serde of a single value. */
  readonly changes: ChangeSerde | undefined;
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
}

/** Both join nodes and the node that merges their results; the node takes its name from the latter. */
export interface StreamJoinContent {
  readonly kind: 'stream-join';
  readonly left: StreamJoinSide;
  readonly right: StreamJoinSide;
  /** Records without partner; used by both sides. */
  readonly outerStore: StoreBuilder | undefined;
  /** The one node that does the work of all three when both sides turn out to be the same stream. */
  readonly selfJoin: NodeProcessorSupplier;
}

/** A join of a stream with itself over one store. */
export interface SelfJoinContent {
  readonly kind: 'self-join';
  readonly supplier: NodeProcessorSupplier;
  /** Name of the node that stores the records. */
  readonly windowed: string;
  readonly store: StoreBuilder;
}

export interface StreamJoinSide {
  readonly name: string;
  readonly supplier: NodeProcessorSupplier;
  /** Name of the node that stores the records of this side. */
  readonly windowed: string;
  /** The records of this side. */
  readonly store: StoreBuilder;
}

/** Both join nodes of two tables and the node that merges their results; the operation has the name of the latter. */
export interface TableJoinContent {
  readonly kind: 'table-join';
  readonly left: TableJoinSide;
  readonly right: TableJoinSide;
  readonly supplier: () => NodeProcessorSupplier;
  /** The stores of the results. */
  readonly stores: () => readonly StoreBuilder[];
}

export interface TableJoinSide {
  readonly name: string;
  /** Name of the node from which the changes of this side come. */
  readonly parent: string;
  readonly supplier: () => NodeProcessorSupplier;
  /** Names of the stores in which the other side is looked up. */
  readonly connect: readonly string[];
}

/** An operation that is not part of a graph yet. */
export function createGraphNode(name: string, content: NodeContent, traits: NodeTraits = {}): GraphNode {
  return { name, content, traits, parents: new Set(), children: new Set(), priority: 0 };
}
