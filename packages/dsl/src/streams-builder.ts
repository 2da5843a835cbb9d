import type { Serde, TimestampExtractor, Topic } from '@millrace/core';
import type { StateStore, StoreBuilder } from '@millrace/state';
import { assertName, type SourceSpec, type Topology } from '@millrace/topology';
import { mergeDuplicateSources } from './graph/merge-duplicate-sources.ts';
import { writeTopology } from './graph/write-topology.ts';
import type { MaterializedOptions } from './options/materialized.ts';
import type { ConsumedOptions } from './options/operator-options.ts';
import { DslContext } from './origin/dsl-context.ts';
import { KStream, KTable } from './streams.ts';
import { addTopicTable } from './table/add-source-table.ts';

export interface StreamsBuilderOptions {
  /** Used where no other serde for keys is known: by topics given by name, stores and repartition topics. */
  readonly defaultKeySerde?: Serde<unknown>;
  /** Used where no other serde for values is known. */
  readonly defaultValueSerde?: Serde<unknown>;
}

/**
 * Where a program begins: makes streams and tables of topics, and the topology of all that is done with them.
 *
 * Source: Kafka Streams `StreamsBuilder`.
 *
 * @example
 * const builder = new StreamsBuilder();
 * builder
 *   .stream(topic('lines', { key: string(), value: string() }))
 *   .flatMapValues((line) => line.toLowerCase().split(' '))
 *   .groupBy((word) => word, { key: string(), value: string() })
 *   .count({ store: 'counts' })
 *   .toStream()
 *   .to(topic('counts', { key: string(), value: int64() }));
 * const topology = builder.build();
 */
export class StreamsBuilder {
  readonly #dsl: DslContext;

  constructor(options: StreamsBuilderOptions = {}) {
    this.#dsl = new DslContext({
      key: options.defaultKeySerde,
      value: options.defaultValueSerde,
    });
  }

  /**
   * The records of one or several topics, or of all whose whole name matches a pattern. Partitions of the same number go to
   * the same task. Calling it twice for the same topics is fine.
   */
  stream<K, V>(
    topics: Topic<K, V> | string | readonly (Topic<K, V> | string)[] | RegExp,
    options: ConsumedOptions<K, V> = {},
  ): KStream<K, V> {
    const dsl = this.#dsl;
    const list = topics instanceof RegExp ? [] : isList(topics) ? topics : [topics];
    const typed = list.find((entry) => typeof entry === 'object');
    const key = options.key ?? typed?.key ?? (dsl.defaults.key as Serde<K> | undefined);
    const value = options.value ?? typed?.value ?? (dsl.defaults.value as Serde<V> | undefined);
    const name = dsl.names.orNext(options.name, 'KSTREAM-SOURCE-');
    const spec: SourceSpec = {
      kind: 'source',
      name,
      topics: topics instanceof RegExp ? topics : list.map((entry) => (typeof entry === 'string' ? entry : entry.name)),
      keySerde: key as Serde<unknown> | undefined,
      valueSerde: value as Serde<unknown> | undefined,
      timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
      offsetReset: options.offsetReset,
    };
    const node = dsl.graph.create([dsl.graph.root], name, { kind: 'source', spec });
    return new KStream({
      kind: 'stream',
      dsl,
      name,
      node,
      key,
      value,
      sources: new Set([node]),
      repartitionRequired: false,
      repartition: undefined,
    });
  }

  /**
   * A topic as a table: each record sets the row of its key, one without value deletes it. Records without key are dropped.
   * The order of offsets counts, whatever the timestamps.
   */
  table<K, V>(topic: Topic<K, V> | string, options: ConsumedOptions<K, V> & MaterializedOptions<K, V> = {}): KTable<K, V> {
    return new KTable(addTopicTable(this.#dsl, topic, options));
  }

  /** Adds a store for processors that name it in their options, before or after this call. */
  addStateStore(builder: StoreBuilder<StateStore>): this {
    assertName(builder.name, 'store');
    const { graph } = this.#dsl;
    graph.create([graph.root], builder.name, { kind: 'store', builder });
    return this;
  }

  /**
   * The topology of everything that was done so far.
   *
   * @throws TopologyError when names repeat, stores are missing, or sources overlap
   */
  build(): Topology {
    const { graph } = this.#dsl;
    mergeDuplicateSources(graph);
    return writeTopology(graph);
  }
}

function isList<K, V>(
  topics: Topic<K, V> | string | readonly (Topic<K, V> | string)[],
): topics is readonly (Topic<K, V> | string)[] {
  return Array.isArray(topics);
}
