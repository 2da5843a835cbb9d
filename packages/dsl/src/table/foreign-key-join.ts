import { bytes, ProcessingError, type Serde } from '@millrace/core';
import { prefixedKeyValueStore } from '@millrace/state';
import type { StreamPartitioner } from '@millrace/topology';
import { createGraphNode, type GraphNode } from '../graph/graph-node.ts';
import type { Joiner } from '../operators/callbacks.ts';
import { type ForeignKeySerdes, subscriptionPrefixLength } from '../operators/foreign-key/foreign-key-serdes.ts';
import { foreignTableJoinOperator } from '../operators/foreign-key/foreign-table-join.ts';
import { responseJoinOperator } from '../operators/foreign-key/response-join.ts';
import { subscriptionSerde } from '../operators/foreign-key/subscription.ts';
import { subscriptionJoinOperator } from '../operators/foreign-key/subscription-join.ts';
import { subscriptionReceiveOperator } from '../operators/foreign-key/subscription-receive.ts';
import { type SubscriptionResponse, subscriptionResponseSerde } from '../operators/foreign-key/subscription-response.ts';
import { type ForeignKeyExtractor, subscriptionSendOperator } from '../operators/foreign-key/subscription-send.ts';
import { type MaterializedOptions, queryableName, resolveMaterialized } from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { SourceTable } from './source-table.ts';

/** Source: Kafka Streams `TableJoined`, and the foreign-key extractor of `KTable.join`. */
export interface ForeignKeyJoinOptions<K, L, FK, Out> extends NamedOptions, MaterializedOptions<K, Out> {
  /** Says which row of the other table a row of this one refers to; an absent key refers to none. */
  readonly foreignKey: ForeignKeyExtractor<K, L, FK>;
  /**
   * How this table is partitioned, if not by murmur2 of its keys. Gets no value, and must choose one partition.
   * Default: answers return to the partition from which their subscription came.
   */
  readonly partitioner?: StreamPartitioner<K, undefined>;
  /** How the other table is partitioned, likewise. */
  readonly otherPartitioner?: StreamPartitioner<FK, undefined>;
}

export interface ForeignKeyJoinDefinition<K, L, FK, R, Out> {
  readonly kind: 'inner' | 'left';
  readonly joiner: Joiner<K, L, R | undefined, Out>;
  readonly options: ForeignKeyJoinOptions<K, L, FK, Out>;
}

/** Names of the nodes, topics and the store of one join; generated ones in the order in which Kafka Streams takes numbers. */
interface JoinNames {
  readonly subscriptionTopic: string;
  readonly send: string;
  readonly subscriptionSink: string;
  readonly subscriptionSource: string;
  readonly subscriptionStore: string;
  readonly receive: string;
  readonly subscriptionJoin: string;
  readonly foreignTableJoin: string;
  readonly responseTopic: string;
  readonly responseSink: string;
  readonly responseSource: string;
  readonly resolver: string;
  readonly result: string;
}

/** What the parts of one join share. */
interface JoinParts<K, L, FK, R, Out> {
  readonly left: TableOrigin<K, L>;
  readonly right: TableOrigin<FK, R>;
  readonly definition: ForeignKeyJoinDefinition<K, L, FK, R, Out>;
  readonly names: JoinNames;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
  readonly rightValue: Serde<R>;
}

/**
 * Adds a foreign-key join: each row of the left table subscribes to the row of the right one to which it refers, through a topic;
 * the answers return through another one. Both tables get stores, if they have none.
 *
 * Source: Kafka Streams `KTableImpl.doJoinOnForeignKey`.
 */
export function addForeignKeyJoin<K, L, FK, R, Out>(
  left: TableOrigin<K, L>,
  right: TableOrigin<FK, R>,
  definition: ForeignKeyJoinDefinition<K, L, FK, R, Out>,
): TableOrigin<K, Out> {
  const { dsl } = left;
  const { options } = definition;
  const operator = operatorText(definition);
  right.changes.enableOldValues(true);
  left.changes.enableOldValues(true);
  const names = joinNames(left, options.name);
  const serdes: ForeignKeySerdes<K, L, FK> = {
    primaryKey: requireSerde(dsl, 'key', left.key, operator),
    leftValue: requireSerde(dsl, 'value', left.value, operator),
    foreignKey: requireSerde(dsl, 'key', right.key, `the other table of ${operator}`),
    topic: names.subscriptionTopic,
  };
  const rightValue = requireSerde(dsl, 'value', right.value, `the other table of ${operator}`);
  const parts = { left, right, definition, names, serdes, rightValue };
  const [subscriptionJoin, foreignTableJoin] = addRightSide(parts, addSubscriptions(parts));
  const responses = addResponses(parts, [subscriptionJoin, foreignTableJoin]);
  const sources = new Set([...left.sources, responses]);
  dsl.graph.copartitionGroups.push(sources);
  const key = options.key ?? left.key;
  const materialized = resolveMaterialized(dsl, { ...options, ...(key && { key }) }, 'KTABLE-FK-JOIN-OUTPUT-');
  const changes = new SourceTable(dsl, operator, materialized);
  const node = dsl.graph.create([addResolver(parts, responses)], names.result, {
    kind: 'processor',
    supplier: () => changes.createSupplier(),
    stores: () => changes.createStores(),
  });
  const queryableStoreName = queryableName(materialized);
  return { kind: 'table', dsl, name: names.result, node, key, value: options.value, sources, changes, queryableStoreName };
}

function operatorText<K, L, FK, R, Out>({ kind, options }: ForeignKeyJoinDefinition<K, L, FK, R, Out>): string {
  const operator = kind === 'inner' ? 'join() with a foreign key' : 'leftJoin() with a foreign key';
  return options.name === undefined ? operator : `${operator} ${options.name}`;
}

function joinNames<K, L>({ dsl: { names } }: TableOrigin<K, L>, name: string | undefined): JoinNames {
  const next = (suffix: string, kind: string): string => names.suffixedOrNext(name, suffix, `KTABLE-${kind}-`);
  return {
    subscriptionTopic: `${next('-subscription-registration', 'FK-JOIN-SUBSCRIPTION-REGISTRATION')}-topic`,
    send: next('-subscription-registration-processor', 'FK-JOIN-SUBSCRIPTION-REGISTRATION'),
    subscriptionSink: next('-subscription-registration-sink', 'SINK'),
    subscriptionSource: next('-subscription-registration-source', 'SOURCE'),
    subscriptionStore: next('-subscription-store', 'FK-JOIN-SUBSCRIPTION-STATE-STORE'),
    receive: next('-subscription-receive', 'FK-JOIN-SUBSCRIPTION-PROCESSOR'),
    subscriptionJoin: next('-subscription-join-foreign', 'FK-JOIN-SUBSCRIPTION-PROCESSOR'),
    foreignTableJoin: next('-foreign-join-subscription', 'FK-JOIN-SUBSCRIPTION-PROCESSOR'),
    responseTopic: `${next('-subscription-response', 'FK-JOIN-SUBSCRIPTION-RESPONSE')}-topic`,
    responseSink: next('-subscription-response-sink', 'SINK'),
    responseSource: next('-subscription-response-source', 'SOURCE'),
    resolver: next('-subscription-response-resolver', 'FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR'),
    result: next('-result', 'FK-JOIN-OUTPUT'),
  };
}

/** From the left table to the task of the right row. @returns the topic */
function addSubscriptions<K, L, FK, R, Out>({ left, right, definition, names, serdes }: JoinParts<K, L, FK, R, Out>): GraphNode {
  const { graph } = left.dsl;
  const { kind, options } = definition;
  const supplier = subscriptionSendOperator({ kind, foreignKey: options.foreignKey, serdes });
  const send = graph.create([left.node], names.send, { kind: 'processor', supplier: () => supplier });
  const topic = createGraphNode(names.subscriptionSource, {
    kind: 'internal-topic',
    topic: names.subscriptionTopic,
    sink: names.subscriptionSink,
    key: serdes.foreignKey as Serde<unknown>,
    value: subscriptionSerde as Serde<unknown>,
    changes: undefined,
    partitioner: options.otherPartitioner && singlePartition(options.otherPartitioner, 'otherPartitioner'),
  });
  graph.add([send], topic);
  graph.copartitionGroups.push(new Set([...right.sources, topic]));
  return topic;
}

/** In the task of the right row. @returns the two nodes that answer */
function addRightSide<K, L, FK, R, Out>(
  { right, names, serdes }: JoinParts<K, L, FK, R, Out>,
  subscriptions: GraphNode,
): [subscriptionJoin: GraphNode, foreignTableJoin: GraphNode] {
  const { graph } = right.dsl;
  const store = names.subscriptionStore;
  const builder = prefixedKeyValueStore(store, bytes(), subscriptionSerde, { prefixLength: subscriptionPrefixLength });
  graph.create([graph.root], store, { kind: 'store', builder });
  const view = right.changes.view();
  const receive = graph.create([subscriptions], names.receive, {
    kind: 'processor',
    supplier: () => subscriptionReceiveOperator({ store, serdes }),
    connect: () => [store],
  });
  const subscriptionJoin = graph.create([receive], names.subscriptionJoin, {
    kind: 'processor',
    supplier: () => subscriptionJoinOperator({ right: view, serdes }),
    connect: () => view.stores,
  });
  const foreignTableJoin = graph.create([right.node], names.foreignTableJoin, {
    kind: 'processor',
    supplier: () => foreignTableJoinOperator({ store, serdes }),
    connect: () => [store],
  });
  return [subscriptionJoin, foreignTableJoin];
}

/** From the right side back to the task of the left row. @returns the topic */
function addResponses<K, L, FK, R, Out>(
  { left, definition, names, serdes, rightValue }: JoinParts<K, L, FK, R, Out>,
  parents: readonly GraphNode[],
): GraphNode {
  const { partitioner } = definition.options;
  const topic = createGraphNode(names.responseSource, {
    kind: 'internal-topic',
    topic: names.responseTopic,
    sink: names.responseSink,
    key: serdes.primaryKey as Serde<unknown>,
    value: subscriptionResponseSerde(rightValue) as Serde<unknown>,
    changes: undefined,
    partitioner: partitioner === undefined ? partitionOfSubscription : singlePartition(partitioner, 'partitioner'),
  });
  return left.dsl.graph.add(parents, topic);
}

function addResolver<K, L, FK, R, Out>(
  { left, definition: { kind, joiner }, names, serdes }: JoinParts<K, L, FK, R, Out>,
  responses: GraphNode,
): GraphNode {
  const view = left.changes.view();
  return left.dsl.graph.create([responses], names.resolver, {
    kind: 'processor',
    supplier: () => responseJoinOperator({ kind, left: view, joiner, serdes }),
    connect: () => view.stores,
  });
}

const partitionOfSubscription: StreamPartitioner<unknown, unknown> = (_topic, _key, response) =>
  (response as SubscriptionResponse<unknown>).primaryPartition;

/** A partitioner of a table, for messages whose values are none of the table's. */
function singlePartition<K>(partitioner: StreamPartitioner<K, undefined>, option: string): StreamPartitioner<unknown, unknown> {
  return (topic, key, _value, partitions) => {
    const chosen = partitioner(topic, key as K, undefined, partitions);
    if (chosen === undefined || typeof chosen === 'number') return chosen;
    if (chosen.length === 1) return chosen[0];
    throw new ProcessingError(
      'PARTITION_NOT_SINGLE',
      `${option} of a foreign-key join chose ${chosen.length} partitions; a row of a table is in exactly one`,
      { topic },
    );
  };
}
