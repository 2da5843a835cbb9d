import type { Serde, TimestampExtractor, Topic } from '@millrace/core';
import type { StateStore, StoreBuilder } from '@millrace/state';
import { assertFreshProcessors, type ProcessorSupplier, processorNodeSupplier } from '@millrace/topology';
import type { ConsumedOptions } from '../options/operator-options.ts';
import type { DslContext } from '../origin/dsl-context.ts';
import { withoutLogging } from './without-logging.ts';

export interface GlobalStoreDefinition<K, V> {
  readonly builder: StoreBuilder<StateStore>;
  readonly topic: Topic<K, V> | string;
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
  const topicName = typeof topic === 'string' ? topic : topic.name;
  const serdes = typeof topic === 'string' ? undefined : topic;
  const key = options.key ?? serdes?.key ?? dsl.defaults.key;
  const value = options.value ?? serdes?.value ?? dsl.defaults.value;
  const source = dsl.names.suffixedOrNext(options.name, '-source', 'KSTREAM-SOURCE-');
  const name = dsl.names.orNext(options.name, 'KTABLE-SOURCE-');
  assertFreshProcessors(supplier, name);
  dsl.graph.create([dsl.graph.root], name, {
    kind: 'global-store',
    spec: () => ({
      builder: withoutLogging(builder),
      source: {
        kind: 'source',
        name: source,
        topics: [topicName],
        keySerde: key as Serde<unknown> | undefined,
        valueSerde: value as Serde<unknown> | undefined,
        timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
        offsetReset: undefined,
      },
      processor: { kind: 'processor', name, supplier: processorNodeSupplier(supplier), parents: [source] },
      reprocessOnRestore: true,
    }),
  });
}
