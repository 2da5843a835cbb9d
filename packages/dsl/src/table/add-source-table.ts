import type { Serde } from '@millrace/core';
import { type MaterializedOptions, queryableName, resolveMaterialized } from '../options/materialized.ts';
import type { ConsumedOptions, NamedOptions } from '../options/operator-options.ts';
import { consumeTopics, sourceSpec, nameOfTopic, type TopicOrName } from '../origin/consumed-topics.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import type { StreamOrigin, TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { createRepartition } from '../stream/repartition.ts';
import { SourceTable } from './source-table.ts';

/**
 * `StreamsBuilder.table`.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.table`.
 */
export function addTopicTable<K, V>(
  dsl: DslContext,
  topic: TopicOrName<K, V>,
  options: ConsumedOptions<K, V> & MaterializedOptions<K, V>,
): TableOrigin<K, V> {
  const topicName = nameOfTopic(topic);
  const consumed = consumeTopics(dsl, [topic], options);
  const { key, value } = consumed;
  const materialized = resolveMaterialized(dsl, { ...options, ...(key && { key }), ...(value && { value }) }, `${topicName}-`);
  const sourceName = dsl.names.suffixedOrNext(options.name, '-source', 'KSTREAM-SOURCE-');
  const name = dsl.names.orNext(options.name, 'KTABLE-SOURCE-');
  const table = new SourceTable(dsl, `table(${topicName})`, materialized);
  const node = dsl.graph.create([dsl.graph.root], name, {
    kind: 'table-source',
    source: sourceSpec(sourceName, consumed),
    supplier: () => table.createSupplier(),
    stores: () => table.createStores(),
  });
  const sources = new Set([node]);
  return { kind: 'table', dsl, name, node, key, value, sources, changes: table, queryableStoreName: queryableName(materialized) };
}

/**
 * `KStream.toTable`.
 *
 * Source: Kafka Streams `KStreamImpl.toTable`.
 */
export function addStreamTable<K, V>(
  from: StreamOrigin<K, V>,
  options: NamedOptions & MaterializedOptions<K, V>,
): TableOrigin<K, V> {
  const { dsl } = from;
  const operator = options.name === undefined ? 'toTable()' : `toTable() ${options.name}`;
  const name = dsl.names.orNext(options.name, 'KSTREAM-TOTABLE-');
  const key = options.key ?? from.key;
  const value = options.value ?? from.value;
  const materialized = resolveMaterialized(dsl, { ...options, ...(key && { key }), ...(value && { value }) }, 'KSTREAM-TOTABLE-');
  let { node: parent, sources } = from;
  if (from.repartitionRequired) {
    parent = createRepartition(dsl, {
      prefix: name,
      key: requireSerde(dsl, 'key', key, operator) as Serde<unknown>,
      value: requireSerde(dsl, 'value', value, operator) as Serde<unknown>,
      optimizable: true,
    });
    dsl.graph.add([from.node], parent);
    sources = new Set([parent]);
  }
  const table = new SourceTable(dsl, operator, materialized);
  const node = dsl.graph.create([parent], name, {
    kind: 'processor',
    supplier: () => table.createSupplier(),
    stores: () => table.createStores(),
  });
  return { kind: 'table', dsl, name, node, key, value, sources, changes: table, queryableStoreName: queryableName(materialized) };
}
