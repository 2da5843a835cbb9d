import { TopologyError } from '@millrace/core';
import { withoutLogging } from '@millrace/state';
import { tableSourceOperator } from '../operators/table-source.ts';
import { storedTableView } from '../operators/table-view.ts';
import { type MaterializedOptions, resolveMaterialized } from '../options/materialized.ts';
import type { ConsumedOptions } from '../options/operator-options.ts';
import { consumeTopics, globalSourceSpec, nameOfTopic, type TopicOrName } from '../origin/consumed-topics.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import type { GlobalTableOrigin } from '../origin/origins.ts';
import { createTableStore } from './source-table.ts';

/**
 * `StreamsBuilder.globalTable`: always with a store, never with a changelog.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.globalTable`.
 */
export function addGlobalTable<K, V>(
  dsl: DslContext,
  topic: TopicOrName<K, V>,
  options: ConsumedOptions<K, V> & MaterializedOptions<K, V>,
): GlobalTableOrigin<K, V> {
  const topicName = nameOfTopic(topic);
  const consumed = consumeTopics(dsl, [topic], options);
  const { key, value } = consumed;
  const materialized = resolveMaterialized(dsl, { ...options, ...(key && { key }), ...(value && { value }) }, `${topicName}-`);
  const { storeName } = materialized;
  const operator = `globalTable(${topicName})`;
  const builder = withoutLogging(createTableStore(dsl, operator, materialized));
  if (builder.kind.startsWith('versioned')) {
    throw new TopologyError(
      'GLOBAL_TABLE_VERSIONED',
      `${operator} cannot have a versioned store; give it a plain one, or use table()`,
      { store: storeName },
    );
  }
  const source = dsl.names.suffixedOrNext(options.name, '-source', 'KSTREAM-SOURCE-');
  const name = dsl.names.orNext(options.name, 'KTABLE-SOURCE-');
  const supplier = tableSourceOperator({ store: storeName, sendOldValues: false });
  dsl.graph.create([dsl.graph.root], name, {
    kind: 'global-store',
    spec: () => ({
      builder,
      source: globalSourceSpec(source, consumed),
      processor: { kind: 'processor', name, supplier, parents: [source] },
      reprocessOnRestore: false,
    }),
  });
  return { kind: 'global-table', dsl, storeName, view: storedTableView(storeName) };
}
