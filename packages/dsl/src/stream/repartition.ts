import { SettingsError, type Serde } from '@millrace/core';
import { assertName, type StreamPartitioner } from '@millrace/topology';
import { createGraphNode, type GraphNode } from '../graph/graph-node.ts';
import type { RepartitionOptions } from '../options/operator-options.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import { deriveStream, type StreamOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';

const SUFFIX = '-repartition';

export interface RepartitionTopic {
  /** The topic is `<prefix>-repartition`. */
  readonly prefix: string;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly partitions?: number | undefined;
  readonly partitioner?: StreamPartitioner<unknown, unknown> | undefined;
  readonly optimizable: boolean;
}

/**
 * Makes the operation that sends records through a repartition topic; it is not in the graph yet. Takes three numbers, used
 * or not.
 *
 * Source: Kafka Streams `KStreamImpl.createRepartitionedSource`.
 */
export function createRepartition(dsl: DslContext, topic: RepartitionTopic): GraphNode {
  const name = topic.prefix.endsWith(SUFFIX) ? topic.prefix : topic.prefix + SUFFIX;
  assertName(name, 'repartition topic');
  const generated = {
    sink: dsl.names.next('KSTREAM-SINK-'),
    filter: dsl.names.next('KSTREAM-FILTER-'),
    source: dsl.names.next('KSTREAM-SOURCE-'),
  };
  const byUser = !/^KSTREAM.*-[0-9]{10}$/.test(topic.prefix);
  const names = byUser ? { sink: `${name}-sink`, filter: `${name}-filter`, source: `${name}-source` } : generated;
  return createGraphNode(names.source, {
    kind: 'repartition',
    topic: name,
    filter: names.filter,
    sink: names.sink,
    key: topic.key,
    value: topic.value,
    partitions: topic.partitions,
    partitioner: topic.partitioner,
    optimizable: topic.optimizable,
  });
}

/** `repartition()`: always through a topic, whether keys changed or not. */
export function addRepartition<K, V>(from: StreamOrigin<K, V>, options: RepartitionOptions<K, V>): StreamOrigin<K, V> {
  const { dsl } = from;
  const { name, partitions, partitioner } = options;
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1)) {
    throw new SettingsError(
      'INVALID_PARTITIONS',
      `repartition: ${partitions} partitions are not possible; give an integer of at least 1`,
    );
  }
  const operator = name === undefined ? 'repartition()' : `repartition() ${name}`;
  const key = requireSerde(dsl, 'key', options.key ?? from.key, operator);
  const value = requireSerde(dsl, 'value', options.value ?? from.value, operator);
  const node = createRepartition(dsl, {
    prefix: name ?? dsl.names.next('KSTREAM-REPARTITION-'),
    key: key as Serde<unknown>,
    value: value as Serde<unknown>,
    partitions,
    partitioner: partitioner as StreamPartitioner<unknown, unknown> | undefined,
    optimizable: false,
  });
  dsl.graph.add([from.node], node);
  return deriveStream(from, { name: node.name, node, key, value, sources: new Set([node]) });
}

export interface JoinRepartition<K, V> {
  /** The user's name of the topic; default: that of the stream. */
  readonly name: string | undefined;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  /** The join, for the error when a serde is missing, and its options for the two. */
  readonly operator: string;
  readonly valueOption: string;
}

/** The stream as a join needs it: partitioned by its keys. Joins that do not name the topic share it. */
export function repartitionForJoin<K, V>(from: StreamOrigin<K, V>, request: JoinRepartition<K, V>): StreamOrigin<K, V> {
  if (!from.repartitionRequired) return from;
  const { dsl } = from;
  const key = requireSerde(dsl, 'key', request.key ?? from.key, request.operator);
  const value = requireSerde(dsl, 'value', request.value ?? from.value, request.operator, request.valueOption);
  // Made each time, even if it is not used: it takes numbers.
  const created = createRepartition(dsl, {
    prefix: request.name ?? from.name,
    key: key as Serde<unknown>,
    value: value as Serde<unknown>,
    optimizable: true,
  });
  let node = from.repartition;
  if (node === undefined || request.name !== undefined) {
    node = dsl.graph.add([from.node], created);
    from.repartition = node;
  }
  return deriveStream(from, { name: node.name, node, key, value, sources: new Set([node]) });
}
