import { type StateStore, type StoreBuilder, withoutLogging } from '@millrace/state';
import { assertFreshProcessors, type ProcessorSupplier, processorNodeSupplier } from '@millrace/topology';
import type { ConsumedOptions } from '../options/operator-options.ts';
import { consumeTopics, globalSourceSpec, type TopicOrName } from '../origin/consumed-topics.ts';
import type { DslContext } from '../origin/dsl-context.ts';

export interface GlobalStoreDefinition<K, V> {
  readonly builder: StoreBuilder<StateStore>;
  readonly topic: TopicOrName<K, V>;
  /** Puts the records into the store. */
  readonly supplier: ProcessorSupplier<K, V, never, never>;
  readonly options: ConsumedOptions<K, V>;
}

/**
 * `StreamsBuilder.addGlobalStore`.
 *
 * Source: Kafka Streams `InternalStreamsBuilder.addGlobalStore`.
 */
export function addGlobalStore<K, V>(dsl: DslContext, { builder, topic, supplier, options }: GlobalStoreDefinition<K, V>): void {
  const consumed = consumeTopics(dsl, [topic], options);
  const source = dsl.names.suffixedOrNext(options.name, '-source', 'KSTREAM-SOURCE-');
  const name = dsl.names.orNext(options.name, 'KTABLE-SOURCE-');
  assertFreshProcessors(supplier, name);
  dsl.graph.create([dsl.graph.root], name, {
    kind: 'global-store',
    spec: () => ({
      builder: withoutLogging(builder),
      source: globalSourceSpec(source, consumed),
      processor: { kind: 'processor', name, supplier: processorNodeSupplier(supplier), parents: [source] },
      reprocessOnRestore: true,
    }),
  });
}
