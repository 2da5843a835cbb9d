import type { Serde, Topic } from '@millrace/core';
import type { StateStore, StoreBuilder } from '@millrace/state';
import { assertName, type ProcessorSupplier, type Topology } from '@millrace/topology';
import { assertExplicitNames } from './graph/explicit-names.ts';
import { mergeDuplicateSources } from './graph/merge-duplicate-sources.ts';
import { mergeRepartitionTopics } from './graph/merge-repartition-topics.ts';
import { type OptimizationChoice, resolveOptimization } from './graph/optimization.ts';
import { rewriteSelfJoins } from './graph/rewrite-self-joins.ts';
import { writeTopology } from './graph/write-topology.ts';
import type { MaterializedOptions } from './options/materialized.ts';
import type { ConsumedOptions } from './options/operator-options.ts';
import { consumeTopics, sourceSpec } from './origin/consumed-topics.ts';
import { DslContext } from './origin/dsl-context.ts';
import { KStream, KTable } from './streams.ts';
import { addGlobalStore } from './table/add-global-store.ts';
import { addGlobalTable } from './table/add-global-table.ts';
import { addTopicTable } from './table/add-source-table.ts';
import { GlobalKTable } from './table/global-table.ts';

export interface StreamsBuilderOptions {
  /** Used where no other serde for keys is known: by topics given by name, stores and repartition topics. */
  readonly defaultKeySerde?: Serde<unknown>;
  /** Used where no other serde for values is known. */
  readonly defaultValueSerde?: Serde<unknown>;
}

export interface BuildOptions {
  /** Default `none`. Kafka: `topology.optimization`. */
  readonly optimization?: OptimizationChoice;
  /**
   * Refuses a topology in which the name of a store or of an internal topic is generated: such names have numbers that change
   * when operators are added before them, and with the name the state is lost. Default false.
   * Kafka: `ensure.explicit.internal.resource.naming`.
   */
  readonly ensureExplicitNaming?: boolean;
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
    const consumed = consumeTopics(dsl, topics instanceof RegExp || isList(topics) ? topics : [topics], options);
    const name = dsl.names.orNext(options.name, 'KSTREAM-SOURCE-');
    const node = dsl.graph.create([dsl.graph.root], name, { kind: 'source', spec: sourceSpec(name, consumed) });
    return new KStream({
      kind: 'stream',
      dsl,
      name,
      node,
      key: consumed.key,
      value: consumed.value,
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

  /**
   * A topic as a table of which every process holds all rows, whatever the partitions: streams can be joined with it by any key.
   * It is complete before the application runs, and then follows the topic without regard to the timestamps of streams.
   *
   * @throws TopologyError `GLOBAL_TABLE_VERSIONED`
   */
  globalTable<K, V>(
    topic: Topic<K, V> | string,
    options: ConsumedOptions<K, V> & Omit<MaterializedOptions<K, V>, 'logging' | 'retention' | 'versioned'> = {},
  ): GlobalKTable<K, V> {
    return new GlobalKTable(addGlobalTable(this.#dsl, topic, options));
  }

  /**
   * Adds a store of which every process holds all, for processors to read without naming it. The processor given here is the
   * only one that writes to it: it gets each record of the topic, and again when the store is restored.
   *
   * @param builder its logging is switched off: the topic is the changelog
   */
  addGlobalStore<K, V>(
    builder: StoreBuilder<StateStore>,
    topic: Topic<K, V> | string,
    supplier: ProcessorSupplier<K, V, never, never>,
    options: ConsumedOptions<K, V> = {},
  ): this {
    addGlobalStore(this.#dsl, { builder, topic, supplier, options });
    return this;
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
   * @throws TopologyError when names repeat, stores are missing, sources overlap, or names are generated that must not be
   */
  build({ optimization = 'none', ensureExplicitNaming = false }: BuildOptions = {}): Topology {
    const { graph } = this.#dsl;
    const chosen = resolveOptimization(optimization);
    mergeDuplicateSources(graph);
    if (chosen.has('merge.repartition.topics')) mergeRepartitionTopics(graph);
    if (chosen.has('single.store.self.join')) rewriteSelfJoins(graph);
    const topology = writeTopology(graph, { reusesSourceTopics: chosen.has('reuse.ktable.source.topics') });
    if (ensureExplicitNaming) assertExplicitNames(topology);
    return topology;
  }
}

function isList<K, V>(
  topics: Topic<K, V> | string | readonly (Topic<K, V> | string)[],
): topics is readonly (Topic<K, V> | string)[] {
  return Array.isArray(topics);
}
